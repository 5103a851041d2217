//! The app's sound: alerts, and voice calls. It has no UI and doesn't depend on Tauri.
//!
//! | module | contents |
//! |---|---|
//! | [`sounds`] | alerts that ring until somebody accepts, call tones, and playback of guests' messages |
//! | [`audio`] | a call's audio: from the microphone to packets, from packets to the loudspeaker |
//! | [`session`] | the network side of a call: the transport of its packets to the other device |
//! | [`talk`] | a running call: audio and session combined |
//!
//! A [`Packet`] carries a call's sound, over any transport.
#![warn(missing_docs)]

pub mod audio;
mod packet;
pub mod session;
pub mod sounds;
pub mod talk;
mod wake;

pub use packet::Packet;
