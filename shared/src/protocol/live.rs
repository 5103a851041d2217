//! The frames of the live socket, `GET /api/live`, as JSON text. The server's frames are also sent as server-sent
//! events (`GET /api/events?frames=true`), for clients whose network blocks `WebSocket`s.
//!
//! The client sends `hello` first; the server answers `welcome` and then streams `entries`. A frame carries all pending
//! entries, and `prev`, the number of the last entry sent before it on this stream. The stream is filtered by audience,
//! so its numbers have gaps; a reader whose last number differs from `prev` has missed a frame.
//!
//! Versions are mixed: a frame with an unknown `t` reads as `Unknown`, and both sides ignore it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::Refusal;
use crate::ids::{CallId, EndpointId, EventId, InstanceId, PersonId, RequestId};

/// A frame from the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum FromClient {
    /// The first frame.
    Hello {
        /// The session token from signing in.
        token: String,
        /// The number of the last entry that the client has; without it the stream begins at the head.
        #[serde(default)]
        cursor: Option<u64>,
        /// The event id of that entry. It detects a log that was restored from a backup and has grown past the cursor
        /// again, which the number alone can't.
        #[serde(default)]
        event_id: Option<EventId>,
        /// Categories to be sent; all if empty.
        #[serde(default)]
        categories: Vec<String>,
        /// The run of the app, as the address for call signals; none for a client without voice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<EndpointId>,
    },
    /// A signal for the other endpoint of a live call: relayed, never stored. At most 16 KiB, and on average 20 a
    /// second.
    Signal {
        /// The call's id.
        call_id: CallId,
        /// The other endpoint.
        to: EndpointId,
        /// The signal.
        signal: Signal,
    },
    /// The keepalive, sent every 10 s; answered with `pulse`.
    Heartbeat,
    /// This device sounded the alert of a request.
    Sounded {
        /// The request's id.
        request_id: RequestId,
        /// The time of the sound, by the device's clock.
        at: Timestamp,
    },
    /// Whether this device can play sound; without this frame it counts as silent.
    Sound {
        /// Whether it can play sound.
        able: bool,
        /// The reason why it can't, as the device reports it: no output, the volume is down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A frame of a newer client; ignored.
    #[serde(other)]
    Unknown,
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum FromServer {
    /// The answer to `hello`.
    Welcome {
        /// The number of the log's last entry.
        head: u64,
        /// The server's clock, for a client with a wrong one.
        server_time: Timestamp,
        /// The person whom the token belongs to.
        person_id: PersonId,
        /// The installation's id: a client that signed in to another one has the wrong address.
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
    /// The presence list. Sent right after `welcome` and after every change, four times a second at most, with only the
    /// newest state. People who are missing from it are offline.
    Present {
        /// Everybody with an open socket at this server or with a recent check-in by other means, sorted by id.
        people: Vec<Presence>,
    },
    /// Last-seen times of people who are offline, where known. Right after `welcome` it lists all of them, later only
    /// those who went offline. It is sent before the `present` that they are missing from; later values replace earlier
    /// ones.
    Seen {
        /// People who are offline, sorted by id; later frames list only changes.
        people: Vec<LastSeen>,
    },
    /// The number of devices that a request's alert reached. Sent once a device sounded it and whenever that changes,
    /// with the rate limit of `present`. Requests that are closed or older than an hour get no more of these.
    Reached {
        /// The request's id.
        request_id: RequestId,
        /// The number of connected devices, plus those that sounded it and disconnected.
        devices: u32,
        /// The number of devices that sounded it.
        sounded: u32,
    },
    /// A signal from the other endpoint of a live call.
    Signal {
        /// The call's id.
        call_id: CallId,
        /// The other endpoint.
        from: EndpointId,
        /// The signal.
        signal: Signal,
    },
    /// A signal was not relayed: `call_over`, `not_your_call`, `too_large`, `slow_down`, `not_there`.
    SignalRefused {
        /// The call's id.
        call_id: CallId,
        /// The reason.
        refusal: Refusal,
    },
    /// The other endpoint of an ongoing call disconnected or reconnected.
    Peer {
        /// The call's id.
        call_id: CallId,
        /// The other endpoint.
        endpoint: EndpointId,
        /// Whether its socket is open.
        there: bool,
    },
    /// The answer to a heartbeat.
    Pulse {
        /// The number of the log's last entry.
        head: u64,
        /// The number of the last entry sent on this stream; a reader with another one has missed a frame.
        #[serde(default)]
        sent: Option<u64>,
        /// The server's clock.
        server_time: Timestamp,
    },
    /// The refusal of the connection. It is the last frame: the server closes after it.
    Refused {
        /// The reason; `snapshot_needed` asks for a snapshot, `not_signed_in` for a new sign-in.
        refusal: Refusal,
    },
    /// The last frame before the server shuts down or drops a slow reader. The client reconnects and resumes from its
    /// cursor.
    Bye {
        /// The reason: `restart` or `too_slow`.
        why: String,
    },
    /// A frame of a newer server; ignored.
    #[serde(other)]
    Unknown,
}

/// The presence of a person. Live only; a newer server may add fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The person's id.
    pub person_id: PersonId,
    /// The number of their devices with an open socket; 0 for somebody present by check-ins alone.
    pub devices: u32,
    /// The number of those devices that can play sound.
    pub sounding: u32,
    /// Whether they can be called.
    #[serde(default)]
    pub status: Status,
}

/// The last-seen time of a person who is offline. It is stored beside the log, and coarse after a crash of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// The person's id.
    pub person_id: PersonId,
    /// The time when their last socket closed or their last check-in came, by the server's clock.
    pub at: Timestamp,
}

/// The presence status, which says whether a person can be called. Derived, and live only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// None of their devices was heard for 30 s.
    Offline,
    /// The person is in a call.
    InCall,
    /// The person has set themselves busy.
    Busy,
    /// The person is reachable; also the fallback of an older reader for a newer status.
    #[default]
    #[serde(other)]
    Online,
}

/// A signalling message between the two endpoints of a call, relayed by the server to set up the media path. The caller
/// makes the offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "s", rename_all = "snake_case")]
pub enum Signal {
    /// An SDP offer (RFC 3264).
    Offer {
        /// The session description (RFC 8866).
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        sdp: String,
    },
    /// An SDP answer.
    Answer {
        /// The session description.
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        sdp: String,
    },
    /// An ICE candidate, sent by trickle ICE (RFC 8838).
    Candidate {
        /// The candidate attribute (RFC 8839, 5.1).
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        candidate: String,
        /// The media section that it belongs to, by its identification tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        sdp_mid: Option<String>,
        /// The media section that it belongs to, by its index.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sdp_mline_index: Option<u16>,
        /// The ICE generation that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(max_length = 16_384))]
        username_fragment: Option<String>,
    },
    /// From the callee: a request for the offer.
    Ready,
    /// From the callee: a request for an ICE restart (RFC 8445, 2.4).
    Restart,
    /// Whether the sender sends and receives audio over the socket.
    Relay {
        /// Whether the relay is on.
        on: bool,
    },
    /// The sender hung up; sent ahead of the log entry.
    HangUp,
    /// A signal of a newer version; ignored.
    #[serde(other)]
    Unknown,
}

/// The number of devices that a request's alert reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reach {
    /// The number of connected devices, plus those that sounded it and disconnected.
    pub devices: u32,
    /// The number of devices that sounded it.
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
        // A frame of a known type must be complete.
        for broken in [r#"{"t":"entries","prev":7}"#, r#"{"phase":1}"#, r#"{"t":5}"#, "[]"] {
            assert!(serde_json::from_str::<FromServer>(broken).is_err(), "{broken}");
        }
        for broken in [r#"{"t":"sounded"}"#, r#"{"phase":1}"#, r#"{"t":5}"#, "[]"] {
            assert!(serde_json::from_str::<FromClient>(broken).is_err(), "{broken}");
        }
    }
}
