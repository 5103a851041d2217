//! Messages between the core and the UI. The UI is built on these types; the core never waits for it.
//!
//! - [`Ask`]: requests from the UI; most answers are `null`, because the results are emitted as [`Told`] events.
//! - [`Told`]: events that the core emits to every open window, in order. A window starts from the [`Picture`] that
//!   [`Ask::Look`] returns, and fetches it again after [`Told::Reload`].
//! - [`Deed`]: display form of a command, for the outbox.
//! - [`Phone`]: call state of this device.
//! - [`Trouble`]: reasons of a missing connection.
//! - [`settings`]: names and values of a device's settings.
//!
//! Types that the UI parses use no flattened parts and only externally tagged enums. serde parses those directly from
//! the text, whereas the other forms go through an intermediate tree, at twice the code and the time.

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
