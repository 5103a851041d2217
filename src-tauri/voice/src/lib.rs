//! What the app is heard by, and hears with. No window in it, and no Tauri.
//!
//! | room | what it holds |
//! |---|---|
//! | [`sounds`] | alerts that ring until somebody accepts, and what guests have said |
//! | [`session`] | the network side of a call: how its packets reach the other device |
//! | [`packet`] | what passes between the audio and the network |
#![warn(missing_docs)]

pub mod packet;
pub mod session;
pub mod sounds;

pub use packet::Packet;
