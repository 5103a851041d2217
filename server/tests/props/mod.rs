//! Shared fixtures of several test programs: waiting, a Mosquitto, and (`demo`, for programs that can start it) the
//! demo's server.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod broker;
mod wait;

pub use wait::{soon, until};
