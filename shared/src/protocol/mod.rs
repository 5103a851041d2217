//! The wire protocol.
//!
//! - [`Command`]: a client's command, with an id made by the client; its [`Verb`] is the operation.
//! - [`Entry`]: one fact in a site's log, the same on every channel; [`Entity`] is the entity it carries, in full.
//! - [`live`]: the frames of the live socket.
//! - [`AudioFrame`]: an audio packet of a call on the live socket, for networks that block UDP.
//! - [`JoinLink`]: the link in the QR code that gives an app its server's address.

mod about;
mod audio;
mod command;
mod entity;
mod entry;
mod join;
pub mod live;
mod object;

pub use audio::AudioFrame;
pub use command::{Command, Outcome, Verb};
pub use entity::{Entity, EntityType, changed_fields, named};
pub use entry::{ActorRef, Audience, EntityTypeName, Entry, Meta, Source};
pub use join::{BadJoinLink, JoinLink};
pub use object::{Object, object_or_null};
pub(crate) use object::{object, objects};
