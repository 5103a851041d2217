//! Stories of the server: a real PostgreSQL, real sockets, and foreign MQTT clients.
//!
//! The cast: Dana dispatches; Sam and Siri are stewardesses; Tom is the technician; Grace supervises; Alex administers;
//! Gus presses the button.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "the props are tests too, and the cast live at the edge"
)]

mod cast;
mod database;
mod foreign;
#[path = "../props/log_output.rs"]
mod log_output;
mod mosquitto;
mod own;
#[path = "../props/mod.rs"]
mod props;
mod ship;
#[path = "../wire/mod.rs"]
mod wire;

mod archive;
mod backups;
mod broker;
mod calls;
mod clean_up;
mod commands;
mod demo;
mod devices;
mod enrolment;
mod events;
mod faults;
mod fleet;
mod guessing;
mod held_up;
mod identity;
mod install;
mod interface;
mod isolation;
mod lamps;
mod limits;
mod live;
mod names;
mod old_commands;
mod panel;
mod presence;
mod press;
mod proxied;
mod races;
mod requests;
mod restored;
mod rights;
mod schema;
mod sign_in;
mod signals;
mod sync;
mod turn;
mod uncounted;
mod voice;
mod writer;
