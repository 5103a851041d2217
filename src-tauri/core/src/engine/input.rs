//! What comes in.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, CommandId, EndpointId, RequestId};
use crewbell_shared::protocol::live::{FromServer, Signal};
use crewbell_shared::protocol::{Entity, Outcome, Verb};
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

use crate::screen::{Ears, Media, Notice, StorageState, Trouble};
use crate::store::{Cursor, Session};

/// When an input comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The device's clock, which may be wrong and may be set.
    pub wall: Timestamp,
    /// Milliseconds on a clock that only goes forward; all waiting is by this one.
    pub tick: u64,
    /// A number drawn anew for each input: the jitter of retries.
    pub luck: u32,
}

/// What comes in.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The device started.
    Start,
    /// The core failed and begins again from what is stored, in the middle of whatever goes on: nothing is held back.
    Recovered,
    /// A part of the device was started anew, and knows nothing: what rings, and all else, is to be said again.
    SayAgain,
    /// Somebody signed in; the token is kept.
    SignedIn(Session),
    /// The person signs out.
    SignOut {
        /// Give up what waits.
        discard: bool,
    },
    /// The token that is kept is another person's than who is signed in: the device was killed in the middle of a sign-in.
    AnothersToken,
    /// The person does something.
    Act {
        /// The command's id, made just now.
        id: CommandId,
        /// What.
        verb: Verb,
    },
    /// The person tries a refused command again.
    Retry {
        /// Which.
        id: CommandId,
        /// The id of the new try, made just now.
        new_id: CommandId,
    },
    /// The person gives a command up.
    Discard {
        /// Which.
        id: CommandId,
    },
    /// A setting of this device.
    Set {
        /// Its name.
        name: String,
        /// Its value; none removes it.
        value: Option<String>,
    },
    /// The person puts a notice away.
    PutAway {
        /// Its tag.
        notice: String,
    },
    /// The person silences what rings here for a minute.
    Silence,
    /// A socket's connection stands; `hello` is being said.
    Opened {
        /// Which socket: the number that [`super::Output::Connect`] gave it.
        socket: u64,
        /// The device's own address that it goes from.
        from: IpAddr,
    },
    /// A frame from a socket.
    Frame {
        /// Which socket.
        socket: u64,
        /// What it says.
        frame: Box<FromServer>,
    },
    /// A frame that can't be read.
    Garbled {
        /// Which socket.
        socket: u64,
    },
    /// A socket ended, or couldn't be opened.
    Closed {
        /// Which.
        socket: u64,
        /// Why.
        why: Trouble,
    },
    /// Whether a socket would get through, where there is an event stream.
    SocketTried {
        /// It would.
        works: bool,
    },
    /// Whether the token is worth anything, as the server says that it is from.
    Token(Result<(), Fault>),
    /// The snapshot that was asked for.
    Snapshot(Result<Snapshot, Fault>),
    /// What became of the commands that were sent.
    Outcomes(Result<Vec<Outcome>, Fault>),
    /// The system says that the network came or went.
    Network {
        /// It came.
        there: bool,
    },
    /// The device's own addresses changed: it went to another network, or lost or found one.
    Addresses {
        /// Those that are gone: what was open from them is dead, though nothing says so.
        lost: Vec<IpAddr>,
        /// Those that are new.
        gained: Vec<IpAddr>,
    },
    /// The device slept, and woke up.
    Woke,
    /// Whether the device can make a sound.
    Ears(Ears),
    /// The alert of a request began to sound.
    Sounded {
        /// Which.
        request_id: RequestId,
    },
    /// How it stands with the storage.
    Storage(StorageState),
    /// So many commands were put aside, because they can't be read.
    Unreadable {
        /// How many; also told when there are none.
        count: u32,
    },
    /// Something that the driver found out.
    Notice(Notice),
    /// The voice engine has a signal for the other side of a call.
    Signal {
        /// Of which call.
        call_id: CallId,
        /// For whom.
        to: EndpointId,
        /// What.
        signal: Signal,
    },
    /// How it stands with the voice of a call.
    Media(Media),
    /// The time that [`super::Output::Wake`] named has come.
    Tick,
}

/// The site, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// As of when.
    pub cursor: Cursor,
    /// The nouns.
    pub nouns: Vec<Arc<Entity>>,
    /// Nouns were passed over because this version doesn't know them.
    pub foreign: bool,
}

/// Why the server's answer is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It couldn't be reached, or somebody else answered in its place.
    #[error("{0}")]
    Away(Trouble),
    /// It refused the whole.
    #[error(transparent)]
    Refused(Refusal),
    /// Somebody in between refused to pass this on: a proxy that doesn't like what is in it.
    #[error("something in between refused it (HTTP {status})")]
    Blocked {
        /// The HTTP status: 403, 413.
        status: u16,
    },
}

impl Fault {
    /// Whether the same again is right: back off and retry. Otherwise it is kept, shown, and for the person to decide.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Away(_) | Self::Blocked { .. } => true,
            Self::Refused(refusal) => is_transient(refusal.code),
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Away(trouble) => trouble,
            Fault::Refused(refusal) => Self::Refused { refusal },
            Fault::Blocked { .. } => Self::Stranger,
        }
    }
}

/// Whether the same again is right after this refusal.
pub(super) fn is_transient(code: crewbell_shared::Code) -> bool {
    use crewbell_shared::Code;
    matches!(code, Code::Unavailable | Code::Internal | Code::SlowDown)
}
