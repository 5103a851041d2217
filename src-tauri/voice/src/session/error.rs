//! What can go wrong in a session.

/// Why a session can't do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// No session can be had on this machine: no socket, most likely.
    #[error("no session can be opened: {0}")]
    Open(String),
    /// A session description (RFC 8866) that can't be read, or that describes no call of ours.
    #[error("the session description can't be used: {0}")]
    Description(String),
    /// A candidate (RFC 8839, 5.1) that can't be read.
    #[error("the candidate can't be used: {0}")]
    Candidate(String),
    /// An answer without an offer, or the like.
    #[error("this can't be done now: {0}")]
    OutOfTurn(String),
    /// The session was closed.
    #[error("the session is closed")]
    Closed,
}
