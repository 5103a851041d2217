//! The HTTP interface for people and programs. It reads and calls actions, and never writes.
//!
//! [`router`] lists the endpoints, one file each, named as its path. A write builds a `Verb` and passes it to
//! [`command::run`], so that REST and `POST /api/commands` share one write path. [`error`] maps refusals to statuses.

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
mod verbs;
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

use crate::auth::LoginRateLimiter;
use crate::devices::dialects::Dialects;
use crate::ice::Ice;
use crate::site_registry::SiteRegistry;

/// State shared by the endpoints.
#[derive(Clone, Debug)]
pub struct App {
    /// The sites, with their writers and logs.
    pub registry: SiteRegistry,
    /// The sign-in rate limiter.
    pub limiter: Arc<LoginRateLimiter>,
    /// The trusted reverse proxies.
    pub proxies: Arc<TrustedProxies>,
    /// The STUN and TURN servers for calls.
    pub ice: Arc<Ice>,
    /// The metrics, if enabled.
    pub metrics: Option<Metering>,
    /// Time without a message after which a live socket counts as half open.
    pub silence: Duration,
    /// The device dialects, for decoding unrecognised messages.
    pub dialects: Arc<Dialects>,
}

impl App {
    /// Creates the shared state, without trusted proxies.
    pub fn new(registry: SiteRegistry, ice: Ice, metrics: Option<Metering>, silence: Duration) -> Self {
        let limiter = Arc::new(LoginRateLimiter::new(&registry.ids));
        let (ice, dialects) = (Arc::new(ice), Arc::default());
        Self { registry, limiter, proxies: Arc::default(), ice, metrics, silence, dialects }
    }

    /// Sets the trusted proxies.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }
}
