//! MQTT in: what the buttons say, and what the server answers them. May call actions; no SQL, no rules.
//!
//! A message comes through one of two doors, the server's own [`listener`] or an external [`broker`]; either hands it
//! to the [`door`], which decodes it ([`dialects`]) and calls an action. The answer goes back by the [`lamps`], which
//! read the log like everybody else.

pub mod broker;
mod connections;
pub mod delivery;
pub mod dialects;
pub mod door;
mod flood;
mod intake;
pub mod lamps;
pub mod listener;
mod reading;
mod refusals;
pub mod sound;
mod spellings;
mod unheard;

pub use intake::{Buttons, Principal};
pub use refusals::remedy;
