//! MQTT input from the buttons, and the server's acknowledgements to them. May call actions; no SQL, no domain rules.
//!
//! Messages arrive through the server's own [`listener`] or an external [`broker`]; both pass them to the message
//! handler ([`message_handler`]), which decodes them ([`dialects`]) and calls an action. The acknowledgement is sent by [`acks`],
//! which follows the log.

pub mod acks;
pub mod broker;
mod connections;
pub mod delivery;
pub mod dialects;
mod flood;
mod intake;
pub mod listener;
pub mod message_handler;
mod reading;
mod refusals;
pub mod sound;
mod spellings;
mod unrecognised;

pub use intake::{Buttons, Principal};
pub use refusals::remedy;
