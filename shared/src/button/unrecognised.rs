//! Diagnostics on device messages that weren't recognised as presses, for finding out why a button doesn't ring.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Dialect;

/// A group of unrecognised messages of a device, and their number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnrecognisedMessage {
    /// The device, as far as the topic names it.
    pub device: String,
    /// The reason why it is no press: a stable code.
    pub reason: String,
    /// The exact problem, in English, if the code alone doesn't tell.
    pub detail: Option<String>,
    /// The remedy, in English.
    #[serde(default)]
    pub remedy: String,
    /// The topic's dialect; none if it belongs to none.
    pub dialect: Option<Dialect>,
    /// The word that may be a press, if it is the only unknown part; a word in the site's vocabulary makes it one.
    pub word: Option<String>,
    /// Whether the same message would be recognised by the present vocabulary.
    pub is_known_now: bool,
    /// The topic; empty for messages that were too many to be listed singly.
    pub topic: String,
    /// The first bytes of the last message, as text; invalid UTF-8 is shown as U+FFFD.
    pub sample: String,
    /// The number of messages.
    pub times: i64,
    /// The time of the last message.
    pub last_at: Timestamp,
}

/// The list of unrecognised messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnrecognisedMessages {
    /// The groups, newest first.
    pub items: Vec<UnrecognisedMessage>,
}
