//! Messages between the core and the UI. The UI is built on these types; the core never waits for it.
//!
//! - [`Ask`]: requests from the UI; most answers are `null`, because the results are emitted as [`CoreEvent`] events.
//! - [`CoreEvent`]: events that the core emits to every open window, in order. A window starts from the [`ViewState`] that
//!   [`Ask::Look`] returns, and fetches it again after [`CoreEvent::Reload`].
//! - [`Deed`]: display form of a command, for the outbox.
//! - [`Phone`]: call state of this device.
//! - [`ConnectionError`]: reasons of a missing connection.
//! - [`settings`]: names and values of a device's settings.
//!
//! Types that the UI parses use no flattened parts and only externally tagged enums. serde parses those directly from
//! the text, whereas the other forms go through an intermediate tree, at twice the code and the time.

mod ask;
mod connection_error;
mod deed;
mod phone;
pub mod settings;
mod status;
mod view_state;

pub use ask::{ActivityLine, ActivityPage, ActivityQuery, Ask, AskError, ServerInfo, SiteInfo, Storage};
pub use connection_error::ConnectionError;
pub use deed::{Act, Deed};
pub use phone::{AudioDevices, Levels, Media, MediaPath, Phone, Quality, Task};
pub use status::{AudioOutputStatus, Link, Notice, Status, StorageState};
pub use view_state::{Alert, CoreEvent, OutboxItem, Shown, ViewState, VoicePlayer};
