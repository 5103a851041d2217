//! The doors for people and programs. Reads, and calls actions; never writes.
//!
//! [`router`] is the table of contents: one file per endpoint, named as its path. A write builds a `Verb` and hands it
//! to [`command::run`], so that REST and `POST /api/commands` are the same door. Refusals become statuses in one
//! place, [`error`].

pub mod command;
pub mod error;
mod extract;
mod listeners;
mod router;

mod activity;
mod activity_csv;
mod auth;
mod buttons;
mod calls;
mod commands;
mod csv;
mod events;
mod guests;
mod live;
mod people;
mod places;
mod requests;
mod server;
mod site;
mod status;
mod sync;
mod system;

#[cfg(test)]
mod openapi_tests;

pub use error::ApiError;
pub(crate) use extract::Body;
pub use listeners::{PlainListener, Remote, SecureListener};
pub use router::{openapi, router};
pub use system::Metering;

use std::sync::Arc;
use std::time::Duration;

use crate::house::House;
use crate::ice::Ice;

/// What endpoints share.
#[derive(Clone, Debug)]
pub struct App {
    /// The sites, with their writers and logs.
    pub house: House,
    /// Who may try to sign in how often.
    pub attempts: Arc<extract::Attempts>,
    /// The servers that help devices to find a way to each other.
    pub ice: Arc<Ice>,
    /// What is counted.
    pub metrics: Option<Metering>,
    /// How long a live socket may say nothing.
    pub silence: Duration,
}

impl App {
    /// The doors of a house.
    pub fn new(house: House, ice: Ice, metrics: Option<Metering>, silence: Duration) -> Self {
        Self { house, attempts: Arc::default(), ice: Arc::new(ice), metrics, silence }
    }
}
