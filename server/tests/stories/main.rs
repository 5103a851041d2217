//! Stories: a real PostgreSQL, real sockets, real MQTT clients that are not ours.
//!
//! The cast: Dana dispatches; Sam and Siri are stewardesses; Tom is the technician; Grace supervises; Alex administers;
//! Gus presses the button.

mod cast;
mod database;
mod ship;

mod accept;
mod press;
