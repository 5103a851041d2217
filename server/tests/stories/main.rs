//! Stories: a real PostgreSQL, real sockets, real MQTT clients that are not ours.
//!
//! The cast: Dana dispatches; Sam and Siri are stewardesses; Tom is the technician; Grace supervises; Alex administers;
//! Gus presses the button.

mod cast;
mod database;
mod foreign;
mod own;
mod ship;
#[path = "../wire/mod.rs"]
mod wire;

mod accept;
mod archive;
mod backups;
mod devices;
mod enrolment;
mod faults;
mod lamps;
mod press;
mod schema;
mod voice;
