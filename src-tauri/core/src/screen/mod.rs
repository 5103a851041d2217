//! What the core and a screen say to each other. The face is built on these types; the core never waits for it.
//!
//! - [`Ask`]: what a person wants, posted by the face; most answers are `null`, because what comes of it is [`Told`].
//! - [`Told`]: what the core tells every open window, in order. A window begins with the [`Picture`] that [`Ask::Look`]
//!   answers, and again whenever it is told to [`Told::Reload`].
//! - [`Deed`]: what a person did, for the outbox.
//! - [`Phone`]: the call on this device.
//! - [`Trouble`]: why there is no connection.
//! - [`settings`]: the names of a device's settings, and what their values mean.
//!
//! What the face reads has no flattened parts, and enums that stand outside of what they hold: serde reads both straight
//! from the text, where it would first make a tree of the others, at twice the code and the time.

mod ask;
mod deed;
mod phone;
mod picture;
pub mod settings;
mod status;
mod trouble;

pub use ask::{ActivityLine, ActivityPage, ActivityQuery, Ask, AskError, ServerInfo, SiteInfo, Storage};
pub use deed::{Act, Deed};
pub use phone::{AudioDevices, Levels, Media, Phone, Quality, Task, Way};
pub use picture::{Alert, OutboxItem, Picture, Shown, Told, VoicePlayer};
pub use status::{Ears, Link, Notice, Status, StorageState};
pub use trouble::Trouble;
