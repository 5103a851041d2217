//! What the app is heard by, and hears by. No window in it, and no Tauri.
//!
//! | room | what it holds |
//! |---|---|
//! | [`audio`] | a call's sound: from the microphone to packets, from packets to the loudspeaker |
//! | [`sounds`] | alerts that ring until somebody accepts, calls that ring, and what guests have said |
//!
//! A [`Packet`] is what a call's sound travels in, whatever carries it.
#![warn(missing_docs)]

pub mod audio;
mod packet;
pub mod sounds;

pub use packet::Packet;
