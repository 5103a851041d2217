//! What crosses a wire.
//!
//! - [`Command`]: what a client wants done, with an id that the client made; its [`Verb`] says what it is about.
//! - [`Entry`]: one fact in a site's log, the same on every channel; [`Entity`] is the noun it carries, whole.
//! - [`live`]: the frames of the socket.
//! - [`AudioFrame`]: a packet of a call's voice, on the socket where nothing else gets through.
//! - [`JoinLink`]: the link in the QR code by which an app finds its server.

mod about;
mod audio;
mod command;
mod entity;
mod entry;
mod join;
pub mod live;

pub use audio::AudioFrame;
pub use command::{Command, Outcome, Verb};
pub use entity::{Entity, EntityType, changed_fields, named};
pub use entry::{ActorRef, Audience, Entry, Meta, Noun, Source};
pub use join::{BadJoinLink, JoinLink};
