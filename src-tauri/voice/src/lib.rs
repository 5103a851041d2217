//! What the app is heard by, and hears by. No window in it, and no Tauri.
//!
//! | room | what it holds |
//! |---|---|
//! | [`sounds`] | alerts that ring until somebody accepts, calls that ring, and what guests have said |
//! | [`audio`] | a call's sound: from the microphone to packets, from packets to the loudspeaker |
//! | [`session`] | the network side of a call: how its packets reach the other device |
//! | [`talk`] | both of them put together: a call that is spoken over |
//!
//! A [`Packet`] is what a call's sound travels in, whatever carries it.
#![warn(missing_docs)]

pub mod audio;
mod packet;
pub mod session;
pub mod sounds;
pub mod talk;
mod wake;

pub use packet::Packet;
