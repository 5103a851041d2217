//! Status of the connection and the device.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ConnectionError;

/// The connection state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// No person is signed in.
    #[default]
    SignedOut,
    /// There is no connection; retries are automatic.
    Offline,
    /// The connection is being opened.
    Connecting,
    /// A snapshot is being fetched.
    Fetching,
    /// The connection is open, and missed entries are arriving.
    CatchingUp,
    /// The data is up to date with the server.
    Live,
}

impl Link {
    /// Returns whether the data is up to date, or will be within a moment.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Live | Self::CatchingUp)
    }
}

/// State of the device's storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    /// Writes succeed.
    #[default]
    Good,
    /// Writes fail. The server's data is still shown, but commands are rejected.
    Failing {
        /// The system's error message.
        why: String,
        /// Whether the disk is full, so that freeing space would help.
        full: bool,
    },
}

/// Whether the device can play sounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudioOutputStatus {
    /// Not known yet.
    #[default]
    Unknown,
    /// Sound works.
    Able,
    /// Sound fails.
    Unable {
        /// The system's error message.
        why: String,
    },
}

/// A notice about an exceptional condition, shown until the person dismisses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The server was restored from a backup older than the data seen here; the site was fetched again.
    Restored {
        /// The number of confirmed commands that are sent again.
        resent: u32,
    },
    /// The local data couldn't be read; it was fetched from the server again.
    Rebuilt {
        /// The number of waiting commands that were saved.
        saved: u32,
    },
    /// Some commands of this device can't be read any more. They aren't sent, and stay in the device's storage.
    Unreadable {
        /// The number of commands.
        count: u32,
    },
    /// The session was revoked, or the person may no longer sign in.
    Revoked,
    /// The server uses features that this version doesn't know; some data may not be shown.
    UpdateNeeded,
    /// This device's clock is wrong.
    ClockWrong {
        /// The offset in seconds; positive when the device is behind.
        by_s: i64,
    },
    /// The token is stored in a file that only this user may read, because the system has no keyring.
    TokenInFile,
    /// Repeated sign-in attempts with a wrong PIN or password at the site; shown to its supervisors.
    WrongPins {
        /// The person concerned; none for the site as a whole.
        who: Option<String>,
        /// The number of attempts.
        times: u32,
    },
    /// The network blocks the live socket: everything but calls works.
    NoCalls,
    /// The window stayed blank, and was reopened without hardware acceleration.
    PlainWindow,
}

/// Status of the connection and the device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The connection state.
    pub link: Link,
    /// The time at which the shown data was up to date, by the server's clock; advances while live.
    pub as_of: Option<Timestamp>,
    /// The number of commands that wait for the server's answer.
    pub waiting: u32,
    /// The number of refused commands that wait for the person's decision.
    pub refused: u32,
    /// Offset of the server's clock from the device's, in milliseconds.
    pub clock_offset_ms: i64,
    /// The reason of the last failed connection attempt.
    pub trouble: Option<ConnectionError>,
    /// State of the storage.
    pub storage: StorageState,
    /// State of the sound output.
    pub ears: AudioOutputStatus,
    /// The pending notices.
    pub notices: Vec<Notice>,
    /// The end of silencing, by the device's clock.
    pub silenced_until: Option<Timestamp>,
    /// The sequence number of the last entry read.
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_full_and_silent_says_both() {
        let storage = StorageState::Failing { why: "no room".into(), full: true };
        let status =
            Status { storage, ears: AudioOutputStatus::Unable { why: "no speaker".into() }, ..Status::default() };
        let crossed = serde_json::from_value(serde_json::to_value(&status).unwrap()).unwrap();
        assert_eq!(status, crossed);
    }
}
