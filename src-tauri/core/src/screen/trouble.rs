//! Why there is no connection. The face has words for each of these; only what the system itself says is a text, and
//! stands behind them as a detail.

use crewbell_shared::Refusal;
use serde::{Deserialize, Serialize};

/// Why there is no connection to the server, or why the last one ended. How it reads as a text is for logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The network didn't lead there, or broke.
    #[error("the server can't be reached: {why}")]
    Network {
        /// What the system says.
        why: String,
    },
    /// It didn't answer in time.
    #[error("the server doesn't answer")]
    NoAnswer,
    /// It answered, and then said or took nothing any more.
    #[error("the server fell silent")]
    Silent,
    /// It closed the connection without a word.
    #[error("the server closed the connection")]
    Closed,
    /// It is being started anew.
    #[error("the server is starting anew")]
    Restarting,
    /// This device read more slowly than the server could wait.
    #[error("this device read too slowly for the server")]
    TooSlow,
    /// What it sent can't be read.
    #[error("what the server sent can't be read")]
    Garbled,
    /// Of what it sent, something is missing.
    #[error("something that the server sent is missing")]
    Missed,
    /// Somebody else answered in its place: a hotel's sign-in page, a proxy, a router.
    #[error("somebody else answered in the server's place")]
    Stranger,
    /// Another Crewbell answers at this address than the one that the person signed in to.
    #[error("another Crewbell answers at this address")]
    OtherServer,
    /// Something in between lets no live socket through, though the server is reached.
    #[error("no live socket gets through to the server")]
    NoSocket,
    /// What it sent is larger than this device takes at once.
    #[error("what the server sent is too large")]
    TooLarge,
    /// This device went to another network, and the connection stayed behind.
    #[error("this device changed networks")]
    Moved,
    /// It said no.
    #[error(transparent)]
    Refused {
        /// With this.
        refusal: Refusal,
    },
    /// The sign-in can't be read from where this device keeps it.
    #[error("the sign-in can't be read: {why}")]
    Vault {
        /// What the system says.
        why: String,
    },
    /// The app itself failed at it; the log has more.
    #[error("the app failed")]
    Failed,
}

impl Trouble {
    /// What the system said of the network.
    pub fn network(said: impl std::fmt::Display) -> Self {
        Self::Network { why: said.to_string() }
    }
}
