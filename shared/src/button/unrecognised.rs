//! What devices said that was no press, for whoever finds out why a button doesn't ring.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Dialect;

/// A sort of message that a device sent and that is no press, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnrecognisedMessage {
    /// The device, as far as the topic told.
    pub device: String,
    /// Why it is no press: a stable code.
    pub reason: String,
    /// What exactly is wrong, in English, where the code alone doesn't tell.
    pub detail: Option<String>,
    /// What can be done about it, in English words.
    #[serde(default)]
    pub remedy: String,
    /// In whose language the topic is; none where it is nobody's.
    pub dialect: Option<Dialect>,
    /// The word that may be a press, where that is all that isn't known: a word of the site's vocabulary makes it one.
    pub word: Option<String>,
    /// Whether the same message would ring now: somebody has taught its word or topic since.
    pub is_known_now: bool,
    /// The topic; empty for what was too much to be told one by one.
    pub topic: String,
    /// The first bytes of the last one, as text; bytes that are no UTF-8 are shown as U+FFFD.
    pub sample: String,
    /// How many came.
    pub times: i64,
    /// When the last one came.
    pub last_at: Timestamp,
}

/// What wasn't recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnrecognisedMessages {
    /// The newest first.
    pub items: Vec<UnrecognisedMessage>,
}
