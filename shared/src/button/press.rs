//! What a finger did to a button, as the device reported it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the button was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PressKind {
    /// One short press.
    Single,
    /// Two short presses.
    Double,
    /// Press and hold: the guest speaks while holding.
    Long,
    /// The device was shaken.
    Shake,
    /// An explicit emergency (a radio button's own kind, or an emergency key).
    Emergency,
}

/// Which key of the device was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The large one.
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

    /// The kind as it crosses a wire and stands in the database.
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

impl Key {
    /// Every key.
    pub const ALL: [Self; 5] = [Self::Main, Self::Aux1, Self::Aux2, Self::Aux3, Self::Aux4];

    /// The key as it crosses a wire and stands in the database.
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

/// What a message offers to tell a new press from a repetition of an old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The device names each press once and for ever (our own firmware's `press_id`).
    Named(String),
    /// A counter that starts again at every boot or join.
    Counted {
        /// The counter as sent.
        counter: u64,
        /// Milliseconds since boot when the press happened, where the dialect says so.
        uptime_ms: Option<u64>,
    },
    /// A counter that the device states again and again as part of its state, pressed or not: the same
    /// figure is the same press until it changes (Shelly generation 1 repeats its last event every 30 s).
    Standing {
        /// Which of the device's inputs is counted; each has a counter of its own.
        input: u8,
        /// The counter as sent.
        counter: u64,
    },
    /// A frame of a radio that numbers its frames from its join on (`LoRaWAN`'s `fCnt`).
    Framed {
        /// The number of the frame.
        frame: u64,
        /// The device's own count of presses, where the payload holds one: a button on the air repeats its press in
        /// several frames.
        counter: Option<u64>,
    },
    /// Nothing in the payload: only its bytes, and MQTT's own DUP flag and packet id, are left.
    Nothing,
}

/// A press as decoded from one message, before anyone has judged whether it is new.
///
/// It carries no device id: the topic names the button, never the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPress {
    /// How.
    pub kind: PressKind,
    /// Where on the device.
    pub key: Key,
    /// What there is to recognise a repetition by.
    pub evidence: Evidence,
    /// The id that the device itself gave this press, as text (for `last_press_id`).
    pub device_press_id: Option<String>,
    /// When the device says it happened; for the record only, never for ordering.
    pub device_time: Option<Timestamp>,
    /// What the message says of the device's health.
    pub vitals: Vitals,
    /// Words that the device (or its cloud) recognised.
    pub transcript: Option<String>,
    /// Where a recording can be fetched, when it is not sent in chunks.
    pub audio_url: Option<String>,
}

/// The health of a button as far as one message tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Whether the device says that it is connected (its status message or last will).
    pub online: Option<bool>,
    /// Charge in percent, 0 to 100.
    pub battery_percent: Option<u8>,
    /// Received signal strength in dBm (negative).
    pub rssi_dbm: Option<i16>,
    /// Firmware version, as the device writes it.
    pub firmware: Option<String>,
    /// Milliseconds since boot.
    pub uptime_ms: Option<u64>,
    /// The device says or implies that it started afresh (a join, a boot message).
    pub booted: bool,
    /// An input and its counter, from a device that states them without a press ([`Evidence::Standing`]).
    pub standing: Option<(u8, u64)>,
}
