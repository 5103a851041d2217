//! The frames of the live socket, `GET /api/live`, as JSON text.
//!
//! The client says `hello` first; the server answers `welcome` and then streams `entries`. A frame carries all entries
//! that wait, and `prev`, the number of the last entry sent before it on this stream: a stream is filtered by
//! audience, so numbers have holes, and a reader that sees `prev` differ from what it has missed a frame.
//!
//! Old and new versions live together: a frame whose `t` is not known reads as `Unknown`, and both sides pass over it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::Refusal;
use crate::ids::{EventId, PersonId, RequestId};

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum FromClient {
    /// The first frame.
    Hello {
        /// The token from signing in.
        token: String,
        /// The last entry that the client has; without one the stream begins at the head.
        #[serde(default)]
        cursor: Option<u64>,
        /// The event id of that entry. A number alone doesn't tell a log that was restored from a backup and has grown
        /// past the cursor again from the one that the client knows; the id does.
        #[serde(default)]
        event_id: Option<EventId>,
        /// Categories to be sent; all when empty.
        #[serde(default)]
        categories: Vec<String>,
    },
    /// "I am here", every 10 s; answered with `pulse`.
    Heartbeat,
    /// This device sounded the alert of a request.
    Sounded {
        /// Which request.
        request_id: RequestId,
        /// When, by the device's clock.
        at: Timestamp,
    },
    /// Whether this device can make a sound; until it says so it counts as silent.
    Sound {
        /// Whether it can.
        able: bool,
        /// Why it can't, in the device's words: no output, the volume is down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A frame of a newer client: passed over.
    #[serde(other)]
    Unknown,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum FromServer {
    /// The answer to `hello`.
    Welcome {
        /// The last entry of the log.
        head: u64,
        /// The server's clock, for a client whose own is wrong.
        server_time: Timestamp,
        /// Who the token says the client is.
        person_id: PersonId,
    },
    /// Entries, oldest first.
    Entries {
        /// The number of the last entry sent before these on this stream.
        prev: u64,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Who is there: sent right after `welcome` and after every change, the newest state only, four times a second at
    /// most. Who isn't in it isn't there.
    Present {
        /// Everybody with an open socket at this server, by id.
        people: Vec<Presence>,
    },
    /// How many devices a request's alert reached: sent once some device sounded it and whenever that changes, as seldom
    /// as `present`. Nothing more is said of a request that is closed, or was asked for an hour ago.
    Reached {
        /// Which request.
        request_id: RequestId,
        /// The devices that are there, and those that sounded it and went.
        devices: u32,
        /// The devices that sounded it.
        sounded: u32,
    },
    /// The answer to a heartbeat.
    Pulse {
        /// The last entry of the log.
        head: u64,
        /// The server's clock.
        server_time: Timestamp,
    },
    /// The last frame: the server closes after it.
    Refused {
        /// Why; `snapshot_needed` asks for a snapshot, `not_signed_in` for a new sign-in.
        refusal: Refusal,
    },
    /// The last frame before the server goes down or the reader is dropped for being slow: connect again and go on
    /// from the cursor.
    Bye {
        /// `restart` or `too_slow`.
        why: String,
    },
    /// A frame of a newer server: passed over.
    #[serde(other)]
    Unknown,
}

/// A person who is there. Live only; more may be said of them by a newer server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Who.
    pub person_id: PersonId,
    /// How many of their devices have an open socket; never 0.
    pub devices: u32,
    /// How many of those said that they can make a sound.
    pub sounding: u32,
}

/// How many devices a request's alert reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reach {
    /// The devices that are there, and those that sounded it and went.
    pub devices: u32,
    /// The devices that sounded it.
    pub sounded: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_from_the_future_is_known_as_one_and_one_without_a_name_is_none() {
        let moon = r#"{"t":"moon","phase":{"full":[true]},"entries":7}"#;
        assert_eq!(serde_json::from_str::<FromServer>(moon).unwrap(), FromServer::Unknown);
        assert_eq!(serde_json::from_str::<FromClient>(moon).unwrap(), FromClient::Unknown);
        // A frame that is known must be whole.
        for broken in [r#"{"t":"entries","prev":7}"#, r#"{"phase":1}"#, r#"{"t":5}"#, "[]"] {
            assert!(serde_json::from_str::<FromServer>(broken).is_err(), "{broken}");
        }
        for broken in [r#"{"t":"sounded"}"#, r#"{"phase":1}"#, r#"{"t":5}"#, "[]"] {
            assert!(serde_json::from_str::<FromClient>(broken).is_err(), "{broken}");
        }
    }
}
