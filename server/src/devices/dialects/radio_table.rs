//! Configuration of other makers' radio buttons.

use crewbell_shared::button::{ButtonKey, PressKind};
use serde::{Deserialize, Serialize};

/// The table of `LoRaWAN` payloads other than our own, by port. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RadioTable {
    /// The entries by port; the first of several for one port applies.
    pub ports: Vec<RadioPort>,
}

/// The meaning of the payloads on one port. Takes precedence over our own payload on port 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadioPort {
    /// The port, 1 to 223 (`LoRaWAN` 1.0.4, section 4.3.2).
    pub f_port: u8,
    /// Index of the byte that contains the press, from 0.
    pub offset: usize,
    /// The values that are presses; any other is a heartbeat.
    pub presses: Vec<RadioPress>,
    /// Index of the byte that contains the charge in percent, if any.
    #[serde(default)]
    pub battery_offset: Option<usize>,
}

/// A value that means a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadioPress {
    /// The byte's value.
    pub value: u8,
    /// The kind of press.
    pub kind: PressKind,
    /// The key; the main key if absent.
    #[serde(default = "main_key")]
    pub key: ButtonKey,
}

impl RadioTable {
    pub(super) fn port(&self, f_port: u64) -> Option<&RadioPort> {
        self.ports.iter().find(|port| u64::from(port.f_port) == f_port)
    }
}

fn main_key() -> ButtonKey {
    ButtonKey::Main
}
