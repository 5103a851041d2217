//! Outputs of the engine.

use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::Command;
use crewbell_shared::protocol::live::{FromClient, Signal};

use crate::screen::{Alert, CoreEvent, Task};
use crate::store::Cursor;

/// An action for the driver; actions are performed in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open the live socket and send `hello` with the token and this cursor; its inputs carry the socket's number. Any
    /// other socket is closed.
    Connect {
        /// The socket's number.
        socket: u64,
        /// The cursor to resume from.
        cursor: Cursor,
    },
    /// Open the event stream from this cursor, where no socket gets through; its inputs carry the number as if it were
    /// a socket's. Any other connection is closed.
    Listen {
        /// The stream's number, from the same sequence as sockets.
        socket: u64,
        /// The cursor to resume from.
        cursor: Cursor,
    },
    /// Test whether a socket gets through, beside the event stream; answered with [`super::Input::SocketTried`].
    TrySocket,
    /// Validate the token with the server; answered with [`super::Input::Token`].
    AskToken,
    /// Close the socket, or the event stream.
    Disconnect,
    /// The local address of the socket is gone: close the socket and all other connections to the server, and abort the
    /// requests in flight, which can't be answered any more.
    Moved,
    /// Send a frame over the socket, or as a separate request.
    Say(FromClient),
    /// Fetch a snapshot; answered with [`super::Input::Snapshot`].
    FetchSnapshot,
    /// Send commands in order; answered with [`super::Input::Outcomes`]. An empty batch tests whether anything gets
    /// through.
    Send(Vec<Command>),
    /// Delete the token, which is invalid.
    ForgetToken {
        /// Whether to sign out at the server first, if it can be reached.
        sign_out: bool,
    },
    /// The complete list of alerts on this device; sounds, notifications and the badge follow it.
    Alerts {
        /// All ringing alerts.
        alerts: Vec<Alert>,
        /// The number of open requests, for the badge.
        open: usize,
    },
    /// The complete call task of this device; tones, microphone and connection follow it.
    Phone {
        /// The task.
        task: Task,
        /// The call concerned, to name it outside the window.
        call: Option<Box<Call>>,
        /// The number of missed calls that the person hasn't seen, for the badge.
        missed: usize,
    },
    /// The live socket of this or the other endpoint is open again; the voice engine's signals sent in between are
    /// lost.
    SocketBack,
    /// A signal from the other endpoint of the ongoing call, for the voice engine.
    Signal {
        /// The call's id.
        call_id: CallId,
        /// The sending endpoint.
        from: EndpointId,
        /// The signal.
        signal: Signal,
    },
    /// End a call as dropped, as if by the person's command, because its other endpoint is gone. To be performed after
    /// all other outputs of the step.
    EndCall {
        /// The call's id.
        call_id: CallId,
    },
    /// Emit an event to the UI.
    Tell(CoreEvent),
    /// Send [`super::Input::Tick`] at this time; replaces the previous timer.
    Wake {
        /// Milliseconds, as in `Now::tick`.
        at_tick: u64,
    },
}
