//! MQTT input from the buttons, and the server's acknowledgements to them. May call actions; no SQL, no domain rules.
//!
//! Messages arrive through the server's own [`listener`] or an external [`broker`]; both pass them to the message
//! handler ([`door`]), which decodes them ([`dialects`]) and calls an action. The acknowledgement is sent by [`lamps`],
//! which follows the log.

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
