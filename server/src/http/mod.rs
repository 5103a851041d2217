//! The doors for people and programs. Reads, and calls actions; never writes.
//!
//! [`router`] is the table of contents: one file per endpoint, named as its path. A write builds a `Verb` and hands it
//! to [`command::run`], so that REST and `POST /api/commands` are the same door. Refusals become statuses in one
//! place, [`error`].

pub mod command;
mod connections;
pub mod error;
mod extract;
mod proxies;
mod router;

mod activity;
mod activity_csv;
mod auth;
mod buttons;
mod calls;
mod commands;
mod csv;
mod document;
mod events;
mod examples;
mod guests;
mod live;
mod people;
mod places;
mod questions;
mod requests;
mod server;
mod site;
mod status;
mod sync;
mod system;
mod texts;
mod when;

#[cfg(test)]
mod openapi_tests;

pub(crate) use connections::caller_of;
pub use connections::{Remote, Times, serve};
pub use error::ApiError;
pub(crate) use extract::Body;
pub use proxies::{Network, TrustedProxies};
pub use router::{openapi, router};
pub use system::Metering;
pub(crate) use when::zone;

use std::sync::Arc;
use std::time::Duration;

use crate::auth::LoginLimiter;
use crate::devices::dialects::Dialects;
use crate::house::House;
use crate::ice::Ice;

/// What endpoints share.
#[derive(Clone, Debug)]
pub struct App {
    /// The sites, with their writers and logs.
    pub house: House,
    /// How often a PIN or password may be guessed.
    pub limiter: Arc<LoginLimiter>,
    /// The proxies whose word about a client's address is believed.
    pub proxies: Arc<TrustedProxies>,
    /// The servers that help devices to find a way to each other.
    pub ice: Arc<Ice>,
    /// What is counted.
    pub metrics: Option<Metering>,
    /// How long a live socket may say nothing.
    pub silence: Duration,
    /// What devices say, for whoever looks at what wasn't understood.
    pub dialects: Arc<Dialects>,
}

impl App {
    /// The doors of a house.
    pub fn new(house: House, ice: Ice, metrics: Option<Metering>, silence: Duration) -> Self {
        let limiter = Arc::new(LoginLimiter::new(&house.ids));
        let (ice, dialects) = (Arc::new(ice), Arc::default());
        Self { house, limiter, proxies: Arc::default(), ice, metrics, silence, dialects }
    }

    /// The same behind proxies.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }
}
