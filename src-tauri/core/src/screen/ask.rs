//! What a face asks of the core.

use crewbell_shared::call::About;
use crewbell_shared::ids::{CallId, CommandId, PersonId, RequestId};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::Priority;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::store::Line;

/// What a face asks. The answer's type stands with each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// All that a window needs to begin with: a `Picture`.
    Look,
    /// Who answers at an address, typed or scanned: a [`ServerInfo`].
    FindServer {
        /// `10.0.0.2:8080`, `https://crew.example`, or a `crewbell://join` link.
        address: String,
    },
    /// Reads the QR code in a picture: the text in it, a `String`.
    ReadCode {
        /// The picture's bytes (PNG or JPEG), as base64.
        picture: String,
    },
    /// Signs in: `null`, and `Told::Reload`.
    SignIn {
        /// The server's address as [`ServerInfo::address`] gave it.
        server: String,
        /// The site's slug.
        site: String,
        /// The person's name.
        name: String,
        /// Their PIN or password.
        secret: String,
    },
    /// Signs out, and wipes the site from the device: `null`. Refused with `in_use` while commands wait, unless they
    /// are to be given up.
    SignOut {
        /// Give up what waits.
        discard: bool,
    },
    /// The person does something: the command's id. What comes of it is told.
    Do {
        /// What.
        verb: Verb,
    },
    /// Tries a refused command again, under a new id: `null`.
    Retry {
        /// Which.
        command_id: CommandId,
    },
    /// Gives a command up: `null`. One that was sent may have been done all the same; then its entry tells.
    Discard {
        /// Which.
        command_id: CommandId,
    },
    /// Saves what waits as a file for another device or a person to read: the file's path, a `String`.
    SaveOutbox,
    /// Silences what rings here for a minute: `null`.
    Silence,
    /// Calls a colleague from this device; what comes of it is told: `null`.
    Call {
        /// Whom.
        person_id: PersonId,
        /// What about.
        about: Option<About>,
    },
    /// Answers a call on this device: `null`.
    Answer {
        /// Which.
        call_id: CallId,
    },
    /// Hangs up, gives up, or says no to a call: `null`.
    HangUp {
        /// Which.
        call_id: CallId,
    },
    /// Mutes this device's microphone in a call: `null`.
    Mute {
        /// On or off.
        on: bool,
    },
    /// Holds or releases the button that one talks by: `null`.
    Talk {
        /// It is held.
        held: bool,
    },
    /// The microphones and speakers that can be chosen: an [`AudioDevices`](super::AudioDevices).
    AudioDevices,
    /// Plays the sound of a priority once: `null`.
    TestSound {
        /// Which.
        priority: Priority,
    },
    /// Changes a setting of this device; none removes it: `null`.
    Set {
        /// `language`, `theme`, `volume`, …
        name: String,
        /// Its value.
        value: Option<String>,
    },
    /// Puts a notice away: `null`.
    PutAway {
        /// The name of the notice: its `notice` tag.
        notice: String,
    },
    /// What happened to a request, oldest first; from the server where it can be reached: `Vec<Line>`.
    Timeline {
        /// Which.
        request_id: RequestId,
    },
    /// A page of the activity; from the server where it can be reached: an [`ActivityPage`].
    Activity {
        /// What is looked for.
        query: ActivityQuery,
    },
    /// Saves the activity as CSV: the file's path, a `String`.
    ExportActivity {
        /// What is looked for.
        query: ActivityQuery,
    },
    /// Plays what a guest said; what comes of it is `Told::Voice`: `null`.
    PlayVoice {
        /// Of which request.
        request_id: RequestId,
    },
    /// Stops playing: `null`.
    StopVoice,
    /// Gives a person a new PIN or password (one's own, or anybody's with the right; online only): `null`.
    SetSecret {
        /// Whose.
        person_id: PersonId,
        /// The new one.
        secret: String,
        /// The present one, which one's own needs.
        current: Option<String>,
    },
    /// What devices said that was no press (with the right to assign buttons; online only): a
    /// `Vec<UnrecognisedMessage>`, the newest first.
    Unrecognised,
    /// The link that brings another device to this server, and its QR code: `[link, svg]`.
    JoinCode,
    /// How much is stored here, and the versions: a [`Storage`].
    Storage,
    /// Tries to connect now: `null`.
    Connect,
}

/// Why an ask came to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum AskError {
    /// The rules' "no", or the server's.
    #[error(transparent)]
    Refused {
        /// Which.
        refusal: Refusal,
    },
    /// There is no connection, and it can't be done without.
    #[error("there is no connection: {why}")]
    Offline {
        /// Why.
        why: Trouble,
    },
    /// The device's storage doesn't take it: nothing was done.
    #[error("the device's storage failed: {why}")]
    NotKept {
        /// What the system says.
        why: String,
        /// Whether there is no room.
        full: bool,
    },
    /// Another Crewbell is running on what this device keeps: it is the one that rings.
    #[error("another Crewbell is running on this device's data")]
    AlreadyRunning,
    /// What was given can't be read as what it should be.
    #[error("it can't be read: {why}")]
    Unreadable {
        /// What is wrong.
        why: String,
    },
    /// There is no Crewbell at that address.
    #[error("no Crewbell answers there: {why}")]
    NotCrewbell {
        /// Who or what answers instead.
        why: Trouble,
    },
}

impl AskError {
    /// Refused with a code and a sentence.
    pub fn refused(code: Code, message: impl Into<String>) -> Self {
        Self::Refused { refusal: Refusal::new(code, message) }
    }
}

impl From<Refusal> for AskError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

/// Who answers at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The address in full: `http://10.0.0.2:8080`.
    pub address: String,
    /// The server's version.
    pub version: String,
    /// Its sites.
    pub sites: Vec<SiteInfo>,
    /// The site that the link named.
    pub site: Option<String>,
}

/// A site at a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// What is looked for in the activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityQuery {
    /// Words in it.
    pub text: Option<String>,
    /// The part of the app.
    pub category: Option<String>,
    /// Who did it.
    pub person_id: Option<PersonId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Older than this entry: the next page.
    pub before: Option<u64>,
}

/// A page of the activity, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityPage {
    /// What happened.
    pub lines: Vec<ActivityLine>,
    /// Ask with this for older ones; none: there are none.
    pub before: Option<u64>,
    /// Whether it is only what this device has, because the server can't be reached.
    pub partial: bool,
}

/// A line of the activity, with what it is about in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityLine {
    /// What happened.
    pub line: Line,
    /// What it is about: a place's name, a guest's, a button's.
    pub subject: Option<String>,
}

/// How much is stored on the device, and the versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Nouns that are kept.
    pub nouns: u32,
    /// Where.
    pub folder: String,
    /// This app's version.
    pub version: String,
    /// Where the token is kept: `keyring` or `file`.
    pub token_in: String,
}
