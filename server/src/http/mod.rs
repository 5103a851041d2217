//! The doors for people and programs. Reads, and calls actions; never writes.
//!
//! [`router`] is the table of contents: one file per endpoint, named as its path. A write builds a `Verb` and hands it
//! to [`command::run`], so that REST and `POST /api/commands` are the same door. Refusals become statuses in one
//! place, [`error`].

pub mod command;
mod connections;
pub mod error;
mod extract;
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

pub(crate) use connections::caller_of;
pub use connections::{Remote, Times, serve};
pub use error::ApiError;
pub(crate) use extract::Body;
pub use router::{openapi, router};

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

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
    pub metrics: Option<PrometheusHandle>,
    /// How long a live socket may say nothing.
    pub silence: Duration,
}

impl App {
    /// The doors of a house.
    pub fn new(house: House, ice: Ice, metrics: Option<PrometheusHandle>, silence: Duration) -> Self {
        Self { house, attempts: Arc::default(), ice: Arc::new(ice), metrics, silence }
    }
}
