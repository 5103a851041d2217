//! What a restart forgets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crewbell_shared::ids::{CommandId, RequestId};
use crewbell_shared::protocol::live::Presence;
use jiff::{SignedDuration, Timestamp};

use super::Now;
use super::path::Path;
use crate::screen::{Ears, Notice, StorageState, Trouble};

/// What a restart forgets.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any may stand beside any other")]
pub(super) struct Live {
    /// The device has started.
    pub started_at: Option<u64>,
    /// Milliseconds to add to the device's clock to have the server's.
    pub offset_ms: i64,
    /// The live socket.
    pub socket: Socket,
    /// The number of the last socket.
    pub sockets: u64,
    /// The device's own address that the socket goes from, once its connection stands.
    pub from: Option<IpAddr>,
    /// The snapshot is on its way.
    pub fetching: bool,
    /// The cursor that is kept is worth nothing: a snapshot is needed.
    pub stale_cursor: bool,
    /// The server's log isn't the one that was read.
    pub restored: bool,
    /// Over what the site is heard, or tried to be.
    pub path: Path,
    /// Sockets in a row that failed though the server was reached.
    pub socket_failures: u32,
    /// When a socket is tried beside an event stream, and whether one is being tried.
    pub upgrade_at: u64,
    pub upgrading: bool,
    /// Somebody said that the token is worth nothing: the server is asked before anything else.
    pub doubted: bool,
    /// That question is on its way.
    pub asking_token: bool,
    /// When what is closed is next looked through.
    pub forget_at: u64,
    /// Attempts to connect that failed in a row, until a connection has held for a while.
    pub failures: u32,
    /// No attempt before this tick.
    pub retry_at: u64,
    /// Why the last attempt failed.
    pub trouble: Option<Trouble>,
    /// The commands that are on their way, and the socket that was open when they left.
    pub sending: Option<(u64, Vec<CommandId>)>,
    /// Send one at a time: a batch was refused as a whole.
    pub alone: bool,
    /// The command that somebody between here and the server refused, with the HTTP status: an empty batch is sent to see
    /// whether others get through.
    pub suspect: Option<(CommandId, u16)>,
    /// A command that didn't get through while others did, once: it is tried once more, by itself.
    pub suspected: Option<CommandId>,
    /// Attempts to send that failed in a row.
    pub send_failures: u32,
    /// No attempt to send before this tick.
    pub send_at: u64,
    /// Out of the ordinary.
    pub notices: Vec<Notice>,
    /// How it stands with the storage.
    pub storage: StorageState,
    /// Whether the device can make a sound.
    pub ears: Ears,
    /// What is silenced here, until which tick.
    pub silenced: BTreeMap<RequestId, u64>,
    /// Which alerts the server has been told of.
    pub sounded: BTreeSet<RequestId>,
    /// Who is there.
    pub present: Vec<Presence>,
    /// Of calls.
    pub line: super::phone::Line,
}

/// The live socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Socket {
    /// There is none.
    #[default]
    Closed,
    /// It is being opened, and `hello` is said.
    Opening {
        /// Since which tick.
        since: u64,
    },
    /// `welcome` was said.
    Up {
        /// When something was last heard.
        heard_at: u64,
        /// When the next heartbeat is due.
        beat_at: u64,
        /// The last entry sent on this stream, as far as it is known.
        streamed: u64,
        /// The log's head when it opened; entries up to it were missed, those that are for others not.
        head: u64,
        /// How far `streamed` was when the last heartbeat was said.
        asked_at: Option<u64>,
    },
}

impl Live {
    /// The server's time, as far as the device knows it.
    pub fn server_time(&self, now: Now) -> Timestamp {
        now.wall.saturating_add(SignedDuration::from_millis(self.offset_ms)).unwrap_or(now.wall)
    }

    /// Notes something out of the ordinary, once of each sort.
    pub fn note(&mut self, notice: Notice) {
        let tag = tag(&notice);
        self.notices.retain(|other| self::tag(other) != tag);
        self.notices.push(notice);
    }

    /// Puts a notice away, and gives it back.
    pub fn put_away(&mut self, name: &str) -> Vec<Notice> {
        self.notices.extract_if(.., |notice| tag(notice) == name).collect()
    }
}

/// The name of a notice, as it crosses to a screen.
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
