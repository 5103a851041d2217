//! Presses and telemetry as reported by the device.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The kind of a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PressKind {
    /// One short press.
    Single,
    /// Two short presses.
    Double,
    /// Press and hold: the guest speaks meanwhile.
    Long,
    /// The device was shaken.
    Shake,
    /// An explicit emergency (a radio button's own kind, or an emergency key).
    Emergency,
}

/// The key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ButtonKey {
    /// The large key.
    Main,
    /// Auxiliary key 1.
    Aux1,
    /// Auxiliary key 2.
    Aux2,
    /// Auxiliary key 3.
    Aux3,
    /// Auxiliary key 4.
    Aux4,
}

impl PressKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Single, Self::Double, Self::Long, Self::Shake, Self::Emergency];

    /// The kind's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Double => "double",
            Self::Long => "long",
            Self::Shake => "shake",
            Self::Emergency => "emergency",
        }
    }
}

impl ButtonKey {
    /// Every key.
    pub const ALL: [Self; 5] = [Self::Main, Self::Aux1, Self::Aux2, Self::Aux3, Self::Aux4];

    /// The key's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Aux1 => "aux1",
            Self::Aux2 => "aux2",
            Self::Aux3 => "aux3",
            Self::Aux4 => "aux4",
        }
    }
}

/// The evidence in a message for telling a new press from a repetition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// A unique id of each press (our own firmware's `press_id`).
    Named(String),
    /// A counter that restarts at every boot or join.
    Counted {
        /// The counter as sent.
        counter: u64,
        /// Milliseconds since boot when the press happened, if the dialect reports it.
        uptime_ms: Option<u64>,
    },
    /// A counter that is part of the device's state messages, pressed or not: an equal figure is the same press until
    /// it changes (Shelly generation 1 repeats its last event every 30 s).
    Standing {
        /// The device's input that is counted; each has a counter of its own.
        input: u8,
        /// The counter as sent.
        counter: u64,
    },
    /// A radio frame that is numbered from the join on (`LoRaWAN`'s `fCnt`).
    Framed {
        /// The number of the frame.
        frame: u64,
        /// The device's own count of presses, if the payload has one: a radio button repeats its press in several
        /// frames.
        counter: Option<u64>,
    },
    /// No evidence in the payload: only its bytes, and MQTT's DUP flag and packet id, are left.
    Nothing,
}

/// A press as decoded from one message, before duplicate detection.
///
/// The press has no device id: the topic identifies the button, never the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPress {
    /// The kind.
    pub kind: PressKind,
    /// The key.
    pub key: ButtonKey,
    /// The evidence for duplicate detection.
    pub evidence: Evidence,
    /// The device's own id of this press, as text (for `last_press_id`).
    pub device_press_id: Option<String>,
    /// The device's time of the press; for the record only, never for ordering.
    pub device_time: Option<Timestamp>,
    /// The telemetry in the message.
    pub vitals: Telemetry,
    /// A transcript by the device or its cloud.
    pub transcript: Option<String>,
    /// The URL of a recording that isn't sent in chunks.
    pub audio_url: Option<String>,
}

/// The telemetry in one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// Whether the device reports that it is connected (its status message or last will).
    pub online: Option<bool>,
    /// Charge in percent, 0 to 100.
    pub battery_percent: Option<u8>,
    /// Received signal strength in dBm (negative).
    pub rssi_dbm: Option<i16>,
    /// Firmware version, as the device writes it.
    pub firmware: Option<String>,
    /// Milliseconds since boot.
    pub uptime_ms: Option<u64>,
    /// Whether the message states or implies a boot (a join, a boot message).
    pub booted: bool,
    /// An input and its counter, stated without a press ([`Evidence::Standing`]).
    pub standing: Option<(u8, u64)>,
}
