//! What another maker's radio button means, as a site writes it down.

use crewbell_shared::button::{Key, PressKind};
use serde::{Deserialize, Serialize};

/// A site's table for `LoRaWAN` payloads that are not ours, by port. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RadioTable {
    /// One for each port; the first of several for the same port counts.
    pub ports: Vec<RadioPort>,
}

/// The meaning of the payloads on one port. Takes precedence over our own payload on port 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadioPort {
    /// The port, 1 to 223 (`LoRaWAN` 1.0.4, section 4.3.2).
    pub f_port: u8,
    /// Which byte of the payload tells, from 0.
    pub offset: usize,
    /// Its values that are presses; any other is a sign of life.
    pub presses: Vec<RadioPress>,
    /// Which byte is the charge in percent, if one is.
    #[serde(default)]
    pub battery_offset: Option<usize>,
}

/// A value that is a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadioPress {
    /// The byte.
    pub value: u8,
    /// How it was pressed.
    pub kind: PressKind,
    /// Where; the main key if not said.
    #[serde(default = "main_key")]
    pub key: Key,
}

impl RadioTable {
    pub(super) fn port(&self, f_port: u64) -> Option<&RadioPort> {
        self.ports.iter().find(|port| u64::from(port.f_port) == f_port)
    }
}

fn main_key() -> Key {
    Key::Main
}
