//! MQTT in: what the buttons say, and what the server answers them. May call actions; no SQL, no rules.

pub mod delivery;
pub mod listener;
pub mod sound;
