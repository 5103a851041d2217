//! Inputs of the engine.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, CommandId, EndpointId, RequestId};
use crewbell_shared::protocol::live::{FromServer, Signal};
use crewbell_shared::protocol::{Entity, Outcome, Verb};
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

use crate::screen::{AudioOutputStatus, ConnectionError, Media, Notice, StorageState};
use crate::store::{Cursor, Session};

/// The time of an input, and a random number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The device's wall clock, which may be wrong and may be set.
    pub wall: Timestamp,
    /// Milliseconds of a monotonic clock; all timers use it.
    pub tick: u64,
    /// A random number, drawn for each input: the jitter of retries.
    pub jitter: u32,
}

/// An input of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The device started.
    Start,
    /// The core failed and restarts from the store while the app runs. Alerts are not held back as after a start.
    Recovered,
    /// A part of the device restarted without state; alerts and all other state have to be emitted again.
    SayAgain,
    /// A person signed in; the token is stored.
    SignedIn(Session),
    /// The person signs out.
    SignOut {
        /// Whether to discard the waiting commands.
        discard: bool,
    },
    /// The stored token belongs to another person than the session: the device was killed during a sign-in.
    AnothersToken,
    /// The person issues a command.
    Act {
        /// The command's id, generated for it.
        id: CommandId,
        /// The command's verb.
        verb: Verb,
    },
    /// The person retries a refused command.
    Retry {
        /// The id of the refused command.
        id: CommandId,
        /// The id of the new attempt, generated for it.
        new_id: CommandId,
    },
    /// The person discards a command.
    Discard {
        /// The command's id.
        id: CommandId,
    },
    /// A setting of this device changes.
    Set {
        /// The setting's name.
        name: String,
        /// The value; none removes the setting.
        value: Option<String>,
    },
    /// The person dismisses a notice.
    PutAway {
        /// The notice's tag.
        notice: String,
    },
    /// The person silences the ringing alerts of this device for a minute.
    Silence,
    /// A socket's connection is open; `hello` is being sent.
    Opened {
        /// The socket's number, given by [`super::Output::Connect`].
        socket: u64,
        /// The local address of the connection.
        from: IpAddr,
    },
    /// A frame arrived over a socket.
    Frame {
        /// The socket's number.
        socket: u64,
        /// The frame.
        frame: Box<FromServer>,
    },
    /// A frame can't be parsed.
    Garbled {
        /// The socket's number.
        socket: u64,
    },
    /// A socket ended, or couldn't be opened.
    Closed {
        /// The socket's number.
        socket: u64,
        /// The reason.
        why: ConnectionError,
    },
    /// Result of trying a socket beside an event stream.
    SocketTried {
        /// Whether a socket gets through.
        works: bool,
    },
    /// Result of validating the token with the server that issued it.
    Token(Result<(), Fault>),
    /// Result of fetching a snapshot.
    Snapshot(Result<Snapshot, Fault>),
    /// The outcomes of the commands that were sent.
    Outcomes(Result<Vec<Outcome>, Fault>),
    /// The system reports a change of network availability.
    Network {
        /// Whether there is a network.
        there: bool,
    },
    /// The device's own addresses changed: it moved to another network, or an interface came or went.
    Addresses {
        /// Addresses that are gone. Connections from them are dead, although no error is reported.
        lost: Vec<IpAddr>,
        /// New addresses.
        gained: Vec<IpAddr>,
    },
    /// The device woke from sleep.
    Woke,
    /// Whether the device can play sounds.
    Ears(AudioOutputStatus),
    /// The alert of a request began to sound.
    Sounded {
        /// The request's id.
        request_id: RequestId,
    },
    /// State of the local storage.
    Storage(StorageState),
    /// The number of commands that were put aside because they can't be parsed.
    Unreadable {
        /// The number; zero is reported too.
        count: u32,
    },
    /// A notice from the driver.
    Notice(Notice),
    /// The voice engine has a signal for the other endpoint of a call.
    Signal {
        /// The call's id.
        call_id: CallId,
        /// The receiving endpoint.
        to: EndpointId,
        /// The signal.
        signal: Signal,
    },
    /// State of a call's media connection.
    Media(Media),
    /// The time of [`super::Output::Wake`] has come.
    Tick,
}

/// A snapshot of the site.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The cursor that the snapshot corresponds to.
    pub cursor: Cursor,
    /// The entities.
    pub entities: Vec<Arc<Entity>>,
    /// Whether entities were skipped because this version doesn't know their type.
    pub foreign: bool,
}

/// A failed request to the server.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The server couldn't be reached, or another host answered.
    #[error("{0}")]
    Away(ConnectionError),
    /// The server refused the whole request.
    #[error(transparent)]
    Refused(Refusal),
    /// An intermediary rejected the request, such as a proxy that objects to its content.
    #[error("something in between refused it (HTTP {status})")]
    Blocked {
        /// The HTTP status: 403, 413.
        status: u16,
    },
}

impl Fault {
    /// Returns whether to back off and retry the same request. Other faults are stored and shown, and the person
    /// decides.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Away(_) | Self::Blocked { .. } => true,
            Self::Refused(refusal) => is_transient(refusal.code),
        }
    }
}

impl From<Fault> for ConnectionError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Away(trouble) => trouble,
            Fault::Refused(refusal) => Self::Refused { refusal },
            Fault::Blocked { .. } => Self::Stranger,
        }
    }
}

/// Returns whether to retry after a refusal with this code.
pub(super) fn is_transient(code: crewbell_shared::Code) -> bool {
    use crewbell_shared::Code;
    matches!(code, Code::Unavailable | Code::Internal | Code::SlowDown)
}
