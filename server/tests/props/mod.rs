//! Shared fixtures of several test programs: waiting, a Mosquitto, and two that not every program can have: the demo's
//! server (`demo`), and the captured log output (`log_output`).

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod broker;
mod wait;

pub use wait::{soon, until};
