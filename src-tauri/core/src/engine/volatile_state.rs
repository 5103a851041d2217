//! Volatile state: the part of the engine's state that a restart loses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crewbell_shared::ids::{CommandId, RequestId};
use crewbell_shared::protocol::live::Presence;
use jiff::{SignedDuration, Timestamp};

use super::Now;
use super::path::Path;
use crate::screen::{AudioOutputStatus, ConnectionError, Notice, StorageState};

/// Volatile state of the engine.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any may stand beside any other")]
pub(super) struct VolatileState {
    /// The tick of the start.
    pub started_at: Option<u64>,
    /// Offset of the server's clock from the device's, in milliseconds.
    pub offset_ms: i64,
    /// State of the live socket.
    pub socket: Socket,
    /// The number of the last socket.
    pub sockets: u64,
    /// The local address of the socket, once it is connected.
    pub from: Option<IpAddr>,
    /// Whether a snapshot is being fetched.
    pub fetching: bool,
    /// Whether the stored cursor is invalid, so that a snapshot is needed.
    pub stale_cursor: bool,
    /// Whether the server's log differs from the one that was read.
    pub restored: bool,
    /// The transport in use, or to be tried.
    pub path: Path,
    /// Consecutive failed sockets while the server was reachable.
    pub socket_failures: u32,
    /// The tick at which a socket is tried beside an event stream, and whether a try is running.
    pub upgrade_at: u64,
    pub upgrading: bool,
    /// Whether the token's validity is in doubt; the server is asked before anything else.
    pub doubted: bool,
    /// Whether the token's validation is in flight.
    pub asking_token: bool,
    /// The tick of the next clean-up of closed entities.
    pub forget_at: u64,
    /// Consecutive failed connection attempts; reset once a connection has lasted for a while.
    pub failures: u32,
    /// The tick of the earliest next connection attempt.
    pub retry_at: u64,
    /// The reason of the last failure.
    pub trouble: Option<ConnectionError>,
    /// The commands in flight, and the number of the socket that was open when they were sent.
    pub sending: Option<(u64, Vec<CommandId>)>,
    /// Whether to send commands one at a time, after a batch was refused as a whole.
    pub alone: bool,
    /// The command that an intermediary rejected, with the HTTP status; an empty batch is sent to test whether other
    /// requests get through.
    pub suspect: Option<(CommandId, u16)>,
    /// A command that failed once while another request got through; it is retried once, alone.
    pub suspected: Option<CommandId>,
    /// Consecutive failed attempts to send.
    pub send_failures: u32,
    /// The tick of the earliest next attempt to send.
    pub send_at: u64,
    /// Pending notices for the person.
    pub notices: Vec<Notice>,
    /// State of the local storage.
    pub storage: StorageState,
    /// Whether the device can play sounds.
    pub ears: AudioOutputStatus,
    /// Silenced requests, each with the tick at which it may ring again.
    pub silenced: BTreeMap<RequestId, u64>,
    /// Requests whose sounding alert has been reported to the server.
    pub sounded: BTreeSet<RequestId>,
    /// The people who are online.
    pub present: Vec<Presence>,
    /// State of calls.
    pub line: super::phone::Line,
}

/// State of the live socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Socket {
    /// Closed.
    #[default]
    Closed,
    /// Connecting, or `hello` is being sent.
    Opening {
        /// The tick at which opening began.
        since: u64,
    },
    /// Open: `welcome` was received.
    Up {
        /// The tick of the last received data.
        heard_at: u64,
        /// The tick of the next heartbeat.
        beat_at: u64,
        /// The last entry known to be sent on this stream.
        streamed: u64,
        /// The log's head when the socket opened; entries up to it that are for this reader are still to come.
        head: u64,
        /// The value of `streamed` at the last heartbeat.
        asked_at: Option<u64>,
    },
}

impl VolatileState {
    /// Returns the estimated server time.
    pub fn server_time(&self, now: Now) -> Timestamp {
        now.wall.saturating_add(SignedDuration::from_millis(self.offset_ms)).unwrap_or(now.wall)
    }

    /// Adds a notice; it replaces an earlier notice of the same kind.
    pub fn note(&mut self, notice: Notice) {
        let tag = tag(&notice);
        self.notices.retain(|other| self::tag(other) != tag);
        self.notices.push(notice);
    }

    /// Removes a notice and returns it.
    pub fn put_away(&mut self, name: &str) -> Vec<Notice> {
        self.notices.extract_if(.., |notice| tag(notice) == name).collect()
    }
}

/// Returns the name of a notice as used by the UI.
fn tag(notice: &Notice) -> &'static str {
    match notice {
        Notice::Restored { .. } => "restored",
        Notice::Rebuilt { .. } => "rebuilt",
        Notice::Unreadable { .. } => "unreadable",
        Notice::Revoked => "revoked",
        Notice::UpdateNeeded => "update_needed",
        Notice::ClockWrong { .. } => "clock_wrong",
        Notice::TokenInFile => "token_in_file",
        Notice::WrongPins { .. } => "wrong_pins",
        Notice::NoCalls => "no_calls",
        Notice::PlainWindow => "plain_window",
    }
}
