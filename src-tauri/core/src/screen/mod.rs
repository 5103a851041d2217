//! Messages between the core and the UI. The UI is built on these types; the core never waits for it.
//!
//! - [`Ask`]: requests from the UI; most answers are `null`, because the results are emitted as [`CoreEvent`] events.
//! - [`CoreEvent`]: events that the core emits to every open window, in order. A window starts from the [`ViewState`] that
//!   [`Ask::Look`] returns, and fetches it again after [`CoreEvent::Reload`].
//! - [`Phone`]: call state of this device.
//! - [`ConnectionError`]: reasons of a missing connection.
//! - [`settings`]: names and values of a device's settings.

mod ask;
mod connection_error;
mod phone;
pub mod settings;
mod status;
mod view_state;

pub use ask::{ActivityLine, ActivityPage, ActivityQuery, Ask, AskError, ServerInfo, SiteInfo, Storage};
pub use connection_error::ConnectionError;
pub use phone::{AudioDevices, Levels, Media, MediaPath, Phone, Quality, Task};
pub use status::{AudioOutputStatus, Link, Notice, Status, StorageState};
pub use view_state::{Alert, CoreEvent, OutboxItem, Shown, ViewState, VoicePlayer};
