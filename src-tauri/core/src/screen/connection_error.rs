//! Reasons of a missing connection. The UI has a text for each; only the system's error messages are free text, shown
//! as a detail.

use crewbell_shared::Refusal;
use serde::{Deserialize, Serialize};

/// The reason why there is no connection to the server, or why the last one ended. The `Display` text is for logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionError {
    /// The network doesn't reach the server, or failed.
    #[error("the server can't be reached: {why}")]
    Network {
        /// The system's error message.
        why: String,
    },
    /// The server didn't answer in time.
    #[error("the server doesn't answer")]
    NoAnswer,
    /// The server stopped sending or receiving after it had answered.
    #[error("the server fell silent")]
    Silent,
    /// The server closed the connection without a reason.
    #[error("the server closed the connection")]
    Closed,
    /// The server is restarting.
    #[error("the server is starting anew")]
    Restarting,
    /// This device read too slowly for the server.
    #[error("this device read too slowly for the server")]
    TooSlow,
    /// The server's message can't be parsed.
    #[error("what the server sent can't be read")]
    Garbled,
    /// A part of the server's messages is missing.
    #[error("something that the server sent is missing")]
    Missed,
    /// Another host answered: a captive portal, a proxy, a router.
    #[error("somebody else answered in the server's place")]
    Stranger,
    /// Another Crewbell installation answers at this address than the one that the person signed in to.
    #[error("another Crewbell answers at this address")]
    OtherServer,
    /// An intermediary blocks the live socket, although the server can be reached.
    #[error("no live socket gets through to the server")]
    NoSocket,
    /// The server's message exceeds this device's size limit.
    #[error("what the server sent is too large")]
    TooLarge,
    /// This device changed networks, which broke the connection.
    #[error("this device changed networks")]
    Moved,
    /// The server refused.
    #[error(transparent)]
    Refused {
        /// The refusal.
        refusal: Refusal,
    },
    /// The token can't be read from the keyring or file.
    #[error("the sign-in can't be read: {why}")]
    Vault {
        /// The system's error message.
        why: String,
    },
    /// The app itself failed; the log has details.
    #[error("the app failed")]
    Failed,
}

impl ConnectionError {
    /// Creates a network failure from an error.
    pub fn network(said: impl std::fmt::Display) -> Self {
        Self::Network { why: said.to_string() }
    }
}
