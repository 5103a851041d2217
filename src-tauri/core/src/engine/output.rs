//! What goes out.

use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::Command;
use crewbell_shared::protocol::live::{FromClient, Signal};

use crate::screen::{Alert, Task, Told};
use crate::store::Cursor;

/// What the driver is to do, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open the live socket and say `hello` with the token and this cursor; what comes of it carries the number. Any
    /// other socket is closed.
    Connect {
        /// The socket's number.
        socket: u64,
        /// Where to go on.
        cursor: Cursor,
    },
    /// Listen to the event stream from this cursor, where no socket gets through; what comes of it carries the number as if
    /// it were a socket's. Any other is closed.
    Listen {
        /// The number.
        socket: u64,
        /// Where to go on.
        cursor: Cursor,
    },
    /// Try whether a socket would get through, beside the event stream; answered with [`super::Input::SocketTried`].
    TrySocket,
    /// Ask the server whether the token is worth anything; answered with [`super::Input::Token`].
    AskToken,
    /// Close the socket, or the event stream.
    Disconnect,
    /// The device's own address that the socket went from is gone: close the socket, and give up whatever else is open
    /// to the server, with the questions that wait for an answer over it. Nothing will come any more.
    Moved,
    /// Say this on the socket, or by a request of its own.
    Say(FromClient),
    /// Fetch the site whole; answered with [`super::Input::Snapshot`].
    FetchSnapshot,
    /// Send these, in order; answered with [`super::Input::Outcomes`]. None at all: to see whether anything gets through.
    Send(Vec<Command>),
    /// The token is worth nothing any more: forget it.
    ForgetToken {
        /// Tell the server first, if it can be reached.
        sign_out: bool,
    },
    /// What rings on this device now, whole: start and stop sounds, notifications and the badge accordingly.
    Alerts {
        /// All of it.
        alerts: Vec<Alert>,
        /// How many requests are open: the badge.
        open: usize,
    },
    /// What this device does about calls now, whole: start and stop tones, microphone and connection accordingly.
    Phone {
        /// What.
        task: Task,
        /// The call that it is about, to name it outside the window.
        call: Option<Box<Call>>,
        /// How many calls the person missed and hasn't seen: on the badge too.
        missed: usize,
    },
    /// The live socket is open again, of this side or the other's: what the voice engine said meanwhile is lost.
    SocketBack,
    /// The other side of the call that is spoken over has this to say to the voice engine.
    Signal {
        /// Of which call.
        call_id: CallId,
        /// Who.
        from: EndpointId,
        /// What.
        signal: Signal,
    },
    /// End this call as dropped, as if the person had: its other side is gone. To be done when all else of this step is.
    EndCall {
        /// Which.
        call_id: CallId,
    },
    /// Tell the screens.
    Tell(Told),
    /// Call again with [`super::Input::Tick`] when the clock stands here; replaces the call before.
    Wake {
        /// Milliseconds, as in `Now::tick`.
        at_tick: u64,
    },
}
