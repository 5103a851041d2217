//! The wire protocol.
//!
//! - [`Command`]: a client's command, with an id made by the client; its [`Verb`] is the operation.
//! - [`Entry`]: one fact in a site's log, the same on every channel; [`Entity`] is the entity it carries, in full.
//! - [`live`]: the frames of the live socket.
//! - [`AudioFrame`]: an audio packet of a call on the live socket, for networks that block UDP.
//! - [`JoinLink`]: the link in the QR code that gives an app its server's address.

mod audio;
mod command;
mod entry;
mod join;
pub mod live;
mod object;
mod verb;

pub use audio::AudioFrame;
pub use command::{Command, Outcome};
pub use entry::{ActorRef, Audience, EntityTypeName, Entry, Meta, Source};
pub use join::{BadJoinLink, JoinLink};
pub use object::Object;
pub(crate) use object::{object, object_or_null, objects};
pub(crate) use verb::verbs;
pub use verb::{VerbMeta, VerbSet};

pub use crate::entities::{Entity, EntityKey, EntityType, Verb, changed_fields, named};
