//! Requests from the UI to the core.

use crewbell_shared::call::About;
use crewbell_shared::ids::{CallId, CommandId, PersonId, RequestId};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::Priority;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ConnectionError;
use crate::store::Line;

/// A request from the UI. Each variant documents the type of its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Returns the complete state for a new window: a `Picture`.
    Look,
    /// Looks up the server at a typed or scanned address: a [`ServerInfo`].
    FindServer {
        /// The address: `10.0.0.2:8080`, `https://crew.example`, or a `crewbell://join` link.
        address: String,
    },
    /// Decodes the QR code in an image: its text, a `String`.
    ReadCode {
        /// The image's bytes (PNG or JPEG), as base64.
        picture: String,
    },
    /// Signs in: `null`, and `Told::Reload` is emitted.
    SignIn {
        /// The server's address from [`ServerInfo::address`].
        server: String,
        /// The site's slug.
        site: String,
        /// The person's name.
        name: String,
        /// The person's PIN or password.
        secret: String,
    },
    /// Signs out, and wipes the site from the device: `null`. Refused with `in_use` while commands wait, unless
    /// `discard` is set.
    SignOut {
        /// Whether to discard the waiting commands.
        discard: bool,
    },
    /// Issues a command: its id. The outcome is emitted as an event.
    Do {
        /// The command's verb.
        verb: Verb,
    },
    /// Retries a refused command under a new id: `null`.
    Retry {
        /// The refused command.
        command_id: CommandId,
    },
    /// Discards a command: `null`. A command that was sent may have taken effect all the same; its entry then arrives.
    Discard {
        /// The command to discard.
        command_id: CommandId,
    },
    /// Exports the waiting commands to a file, for another device or a person to read: the file's path, a `String`.
    SaveOutbox,
    /// Silences the ringing alerts of this device for a minute: `null`.
    Silence,
    /// Calls a colleague from this device; the progress is emitted as events: `null`.
    Call {
        /// The callee.
        person_id: PersonId,
        /// The subject of the call.
        about: Option<About>,
    },
    /// Answers a call on this device: `null`.
    Answer {
        /// The call to answer.
        call_id: CallId,
    },
    /// Hangs up, cancels or rejects a call: `null`.
    HangUp {
        /// The call to end.
        call_id: CallId,
    },
    /// Mutes this device's microphone in a call: `null`.
    Mute {
        /// Whether the microphone is muted.
        on: bool,
    },
    /// Presses or releases the push-to-talk button: `null`.
    Talk {
        /// Whether the button is held.
        held: bool,
    },
    /// Lists the microphones and speakers to choose from: an [`AudioDevices`](super::AudioDevices).
    AudioDevices,
    /// Plays the sound of a priority once: `null`.
    TestSound {
        /// The priority.
        priority: Priority,
    },
    /// Changes a setting of this device: `null`.
    Set {
        /// The setting's name: `language`, `theme`, `volume`, …
        name: String,
        /// The value; none removes the setting.
        value: Option<String>,
    },
    /// Dismisses a notice: `null`.
    PutAway {
        /// The name of the notice: its `notice` tag.
        notice: String,
    },
    /// Returns a request's timeline, oldest entry first, from the server if it can be reached: `Vec<Line>`.
    Timeline {
        /// The request.
        request_id: RequestId,
    },
    /// Returns a page of the activity, from the server if it can be reached: an [`ActivityPage`].
    Activity {
        /// The search criteria.
        query: ActivityQuery,
    },
    /// Exports the activity as CSV: the file's path, a `String`.
    ExportActivity {
        /// The search criteria.
        query: ActivityQuery,
    },
    /// Plays a guest's recording; progress is emitted as `Told::Voice`: `null`.
    PlayVoice {
        /// The request that the recording belongs to.
        request_id: RequestId,
    },
    /// Stops playback: `null`.
    StopVoice,
    /// Sets a person's PIN or password (one's own, or any with the right; online only): `null`.
    SetSecret {
        /// The person whose secret is set.
        person_id: PersonId,
        /// The new PIN or password.
        secret: String,
        /// The current PIN or password, required for one's own.
        current: Option<String>,
    },
    /// Lists the devices' unrecognised messages (with the right to assign buttons; online only): a
    /// `Vec<UnrecognisedMessage>`, newest first.
    Unrecognised,
    /// Returns the join link for connecting another device to this server, and its QR code: `[link, svg]`.
    JoinCode,
    /// Returns the storage usage and the versions: a [`Storage`].
    Storage,
    /// Starts a connection attempt immediately: `null`.
    Connect,
}

/// The reason why a request from the UI failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum AskError {
    /// The rules or the server refused it.
    #[error(transparent)]
    Refused {
        /// The refusal.
        refusal: Refusal,
    },
    /// The request needs a connection, and there is none.
    #[error("there is no connection: {why}")]
    Offline {
        /// The reason of the missing connection.
        why: ConnectionError,
    },
    /// The device's storage failed; the request had no effect.
    #[error("the device's storage failed: {why}")]
    NotKept {
        /// The system's error message.
        why: String,
        /// Whether the disk is full.
        full: bool,
    },
    /// Another Crewbell process uses this device's data folder, and rings for it.
    #[error("another Crewbell is running on this device's data")]
    AlreadyRunning,
    /// The input can't be parsed.
    #[error("it can't be read: {why}")]
    Unreadable {
        /// The parser's message.
        why: String,
    },
    /// There is no Crewbell server at that address.
    #[error("no Crewbell answers there: {why}")]
    NotCrewbell {
        /// The failure or the foreign response.
        why: ConnectionError,
    },
}

impl AskError {
    /// Creates a refusal from a code and a message.
    pub fn refused(code: Code, message: impl Into<String>) -> Self {
        Self::Refused { refusal: Refusal::new(code, message) }
    }
}

impl From<Refusal> for AskError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

/// A server found at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The full address: `http://10.0.0.2:8080`.
    pub address: String,
    /// The server's version.
    pub version: String,
    /// The server's sites.
    pub sites: Vec<SiteInfo>,
    /// The site named by the join link.
    pub site: Option<String>,
}

/// A site of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// The site's slug.
    pub slug: String,
    /// The site's name.
    pub name: String,
}

/// Search criteria for the activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityQuery {
    /// Words to search for.
    pub text: Option<String>,
    /// The category of entries.
    pub category: Option<String>,
    /// The acting person.
    pub person_id: Option<PersonId>,
    /// Earliest time, inclusive.
    pub from: Option<Timestamp>,
    /// Latest time, exclusive.
    pub to: Option<Timestamp>,
    /// Only entries before this sequence number, for paging.
    pub before: Option<u64>,
}

/// A page of the activity, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// The lines of the page.
    pub lines: Vec<ActivityLine>,
    /// The `before` parameter for the next page; none on the last page.
    pub before: Option<u64>,
    /// Whether the page contains only this device's data, because the server can't be reached.
    pub partial: bool,
}

/// A line of the activity, with a description of its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityLine {
    /// The line.
    pub line: Line,
    /// The subject's name: of a place, a guest or a button.
    pub subject: Option<String>,
}

/// Storage usage of the device, and the versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Size on the disk, in bytes.
    pub bytes: u64,
    /// The number of stored entities.
    pub entities: u32,
    /// The data folder.
    pub folder: String,
    /// The app's version.
    pub version: String,
    /// The place of the token: `keyring` or `file`.
    pub token_in: String,
}
