//! How it stands with the connection and the device.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Trouble;

/// How it stands with the connection to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Nobody is signed in.
    #[default]
    SignedOut,
    /// There is no connection; it is tried again by itself.
    Offline,
    /// It is being made.
    Connecting,
    /// The site is being fetched whole.
    Fetching,
    /// It is there, and what was missed is coming in.
    CatchingUp,
    /// Everything is as the server has it.
    Live,
}

impl Link {
    /// Whether what is shown is as the server has it, or will be within a moment.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Live | Self::CatchingUp)
    }
}

/// How it stands with the device's storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    /// It keeps what it is given.
    #[default]
    Good,
    /// It can't be written to: what the site tells is shown all the same; what a person does is not taken.
    Failing {
        /// What the system says.
        why: String,
        /// Whether there is no room, and making some would help.
        full: bool,
    },
}

/// Whether the device can make a sound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ears {
    /// It isn't known yet.
    #[default]
    Unknown,
    /// It can.
    Able,
    /// It can't.
    Unable {
        /// What the system says.
        why: String,
    },
}

/// Something out of the ordinary that a person must know of, until they put it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The server was restored from a backup that is older than what was seen here; the site was fetched anew.
    Restored {
        /// How many commands that had been answered are sent again.
        resent: u32,
    },
    /// What was stored here couldn't be read; it was fetched from the server again.
    Rebuilt {
        /// How many commands that wait were saved.
        saved: u32,
    },
    /// Some of what was done on this device can't be read any more. It isn't sent, and stays in the device's storage.
    Unreadable {
        /// How many commands.
        count: u32,
    },
    /// The sign-in was ended by somebody else, or the person may no longer sign in.
    Revoked,
    /// The server speaks of things that this version doesn't know: some may not be shown.
    UpdateNeeded,
    /// This device's clock is wrong.
    ClockWrong {
        /// By so many seconds; positive when the device is behind.
        by_s: i64,
    },
    /// The token is kept in a file that only this user may read, because the system has no keyring.
    TokenInFile,
    /// Wrong PINs or passwords come in at the site again and again; told to those who lead.
    WrongPins {
        /// Whose; none when it is the site as a whole.
        who: Option<String>,
        /// How many.
        times: u32,
    },
    /// The network lets no live socket through: everything works but calls.
    NoCalls,
    /// The window stayed blank, and was opened anew without the graphics card's help.
    PlainWindow,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// With the connection.
    pub link: Link,
    /// What is shown is as the server had it then, by the server's clock; moves on while it is live.
    pub as_of: Option<Timestamp>,
    /// Commands that wait for the server's answer.
    pub waiting: u32,
    /// Commands that were refused and wait for the person.
    pub refused: u32,
    /// Milliseconds to add to the device's clock to have the server's.
    pub clock_offset_ms: i64,
    /// Why the last attempt to connect failed.
    pub trouble: Option<Trouble>,
    /// With the storage.
    pub storage: StorageState,
    /// With the sound.
    pub ears: Ears,
    /// What is out of the ordinary.
    pub notices: Vec<Notice>,
    /// What rings is silenced until then, by the device's clock.
    pub silenced_until: Option<Timestamp>,
    /// The last entry that was read.
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_full_and_silent_says_both() {
        let storage = StorageState::Failing { why: "no room".into(), full: true };
        let status = Status { storage, ears: Ears::Unable { why: "no speaker".into() }, ..Status::default() };
        let crossed = serde_json::from_value(serde_json::to_value(&status).unwrap()).unwrap();
        assert_eq!(status, crossed);
    }
}
