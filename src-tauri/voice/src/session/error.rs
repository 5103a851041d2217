//! Errors of a session.

/// An error of a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// No session can be opened on this machine, most likely for lack of a socket.
    #[error("no session can be opened: {0}")]
    Open(String),
    /// A session description (RFC 8866) is malformed, or isn't of an audio call.
    #[error("the session description can't be used: {0}")]
    Description(String),
    /// A candidate (RFC 8839, 5.1) is malformed.
    #[error("the candidate can't be used: {0}")]
    Candidate(String),
    /// The operation isn't valid in the present state, such as an answer without an offer.
    #[error("this can't be done now: {0}")]
    OutOfTurn(String),
    /// The session was closed.
    #[error("the session is closed")]
    Closed,
}
