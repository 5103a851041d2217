//! The frames of the live socket, `GET /api/live`, as JSON text. What the server says is also told as server-sent events
//! (`GET /api/events?frames=true`), for a client whose network lets no socket through.
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
use crate::ids::{CallId, EndpointId, EventId, InstanceId, PersonId, RequestId};

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
        /// The run of the app that says it, which signals of calls are addressed to; none for a client without voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<EndpointId>,
    },
    /// Something for the other end of a live call: handed on, never kept. At most 16 KiB, and on average 20 a second.
    Signal {
        /// Which call.
        call_id: CallId,
        /// The other end.
        to: EndpointId,
        /// What.
        signal: Signal,
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
        /// Which installation answers: a client that signed in to another one is at the wrong address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<InstanceId>,
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
        /// Everybody with an open socket at this server, or who said by another way that they are there, by id.
        people: Vec<Presence>,
    },
    /// When those who aren't there were last there, as far as it is known: everybody of them right after `welcome`, and from
    /// then on those who went. Sent before the `present` that they are missing from; what is said again replaces what was said before.
    Seen {
        /// Those who aren't there, by id; not all of them after the first time.
        people: Vec<LastSeen>,
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
    /// Something from the other end of a live call.
    Signal {
        /// Which call.
        call_id: CallId,
        /// The other end.
        from: EndpointId,
        /// What.
        signal: Signal,
    },
    /// A signal was not handed on: `call_over`, `not_your_call`, `too_large`, `slow_down`, `not_there`.
    SignalRefused {
        /// Of which call.
        call_id: CallId,
        /// Why.
        refusal: Refusal,
    },
    /// The other end of an ongoing call went, or came back.
    Peer {
        /// Which call.
        call_id: CallId,
        /// The other end.
        endpoint: EndpointId,
        /// Whether its socket is open.
        there: bool,
    },
    /// The answer to a heartbeat.
    Pulse {
        /// The last entry of the log.
        head: u64,
        /// The number of the last entry sent on this stream: a reader that has another has missed a frame.
        #[serde(default)]
        sent: Option<u64>,
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
    /// How many of their devices have an open socket; 0 for somebody who said by another way that they are there.
    pub devices: u32,
    /// How many of those said that they can make a sound.
    pub sounding: u32,
    /// Whether they can be called.
    #[serde(default)]
    pub status: Status,
}

/// When somebody who isn't there was last there. No fact of the log: kept beside it, and coarse after a crash of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// Who.
    pub person_id: PersonId,
    /// When their last socket closed, or when they last said by another way that they are there; by the server's clock.
    pub at: Timestamp,
}

/// Whether somebody can be called. Derived, and live only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No device of theirs was heard of for 30 s.
    Offline,
    /// They are in a call.
    InCall,
    /// They said that they don't want to be called.
    Busy,
    /// They are there; also what an older reader makes of a newer status.
    #[default]
    #[serde(other)]
    Online,
}

/// What two ends of a call say to each other through the server, to find a way for their voices. The caller makes the
/// offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "s", rename_all = "snake_case")]
pub enum Signal {
    /// A session description that offers (RFC 3264).
    Offer {
        /// The description (RFC 8866).
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        sdp: String,
    },
    /// A session description that answers.
    Answer {
        /// The description.
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        sdp: String,
    },
    /// A way in that was found (RFC 8838).
    Candidate {
        /// The candidate attribute (RFC 8839, 5.1).
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        candidate: String,
        /// The media section that it is for, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        sdp_mid: Option<String>,
        /// The media section that it is for, by its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sdp_mline_index: Option<u16>,
        /// The ICE generation that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        username_fragment: Option<String>,
    },
    /// The one who was called: "send me your offer".
    Ready,
    /// The one who was called: "find a new way" (RFC 8445, 2.4).
    Restart,
    /// "I send my voice over the socket, and hear you there", or no longer.
    Relay {
        /// Whether it is so.
        on: bool,
    },
    /// "I hung up", sooner than the log can say it.
    HangUp,
    /// A signal of a newer version: passed over.
    #[serde(other)]
    Unknown,
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
    fn signals_and_statuses_cross_a_wire_by_their_names() {
        let candidate = r#"{"s":"candidate","candidate":"candidate:1 1 udp 1 10.0.0.1 9 typ host","sdp_mid":"0"}"#;
        let signal: Signal = serde_json::from_str(candidate).unwrap();
        assert_eq!(serde_json::to_string(&signal).unwrap(), candidate);
        assert_eq!(serde_json::to_string(&Signal::HangUp).unwrap(), r#"{"s":"hang_up"}"#);
        assert_eq!(serde_json::from_str::<Signal>(r#"{"s":"hologram","of":5}"#).unwrap(), Signal::Unknown);
        assert_eq!(serde_json::from_str::<Status>(r#""asleep""#).unwrap(), Status::Online);
        assert_eq!(serde_json::to_string(&Status::InCall).unwrap(), r#""in_call""#);
    }

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
