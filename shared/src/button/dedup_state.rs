//! The dedup state of a button.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ButtonKey, Delivery, Flapping, PressKind};

/// The number of presses kept: enough for the retries in flight of one device, small enough for a database row.
const REMEMBERED: usize = 8;
/// Maximum length of a stored client id, in characters (MQTT allows 65,535 bytes).
const CLIENT_ID_KEPT: usize = 64;

/// The dedup state of a button, stored as JSON in the button's row.
///
/// The contents are private to this module: made by `default()`, [`classify`](super::classify),
/// [`note_health`](super::note_health) and [`classify_recording`](super::classify_recording). Bounded to some 4 kB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DedupState {
    /// The boot number in keys. It rises with each boot that is proven or assumed; 0 before the first press.
    pub(super) boot: u32,
    /// The number of boots proven by uptime or by a boot message.
    pub(super) proven_boots: u32,
    pub(super) last_counter: Option<u64>,
    pub(super) last_uptime_ms: Option<u64>,
    /// The last number generated for a press without evidence, in microseconds since 1970.
    last_made_up: i64,
    /// The last presses, oldest first.
    pub(super) recent: Vec<Remembered>,
    /// The last press of each counting input, oldest first.
    pub(super) standing: Vec<Stated>,
    /// Hashes of the last recordings and when they arrived, oldest first.
    pub recordings: Vec<(u64, Timestamp)>,
    /// The flap damping state.
    pub flapping: Flapping,
}

/// A press that rang.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) key: String,
    #[serde(default)]
    pub(super) what: Option<(PressKind, ButtonKey)>,
    #[serde(flatten)]
    pub(super) seen: Recalled,
    pub(super) proven_boots: u32,
    pub(super) connection: u64,
    client_id: Option<String>,
    pub(super) packet_id: Option<u16>,
    pub(super) payload_hash: u64,
    pub(super) at: Timestamp,
}

/// The evidence of a known press.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Recalled {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counter: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uptime_ms: Option<u64>,
}

/// The last press of an input with a counter of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stated {
    pub(super) input: u8,
    pub(super) counter: u64,
    pub(super) boot: u32,
    #[serde(default)]
    pub(super) kind: Option<PressKind>,
    /// The time of its last statement, on the connection of its first one.
    #[serde(default)]
    pub(super) at: Option<Timestamp>,
    #[serde(default)]
    pub(super) connection: u64,
}

impl DedupState {
    pub(super) fn prove_boot(&mut self, at: Timestamp) {
        self.proven_boots = self.proven_boots.wrapping_add(1);
        self.last_uptime_ms = None;
        self.raise_boot(at);
    }

    /// Takes a boot number above all earlier ones, also above those of a memory that was lost.
    pub(super) fn raise_boot(&mut self, at: Timestamp) {
        let seconds = u32::try_from(at.as_second().max(1)).unwrap_or(u32::MAX);
        self.boot = self.boot.saturating_add(1).max(seconds);
        self.last_counter = None;
    }

    /// Generates a number that this button never had: the time, or the next one.
    pub(super) fn make_up(&mut self, at: Timestamp) -> i64 {
        let made_up = at.as_microsecond().max(self.last_made_up.saturating_add(1));
        self.last_made_up = made_up;
        made_up
    }

    pub(super) fn is_standing_full(&self) -> bool {
        self.standing.len() >= REMEMBERED
    }

    /// Records a repeated statement. On another connection the time is left unchanged: the device may have booted, and
    /// the figure may be that of its first press.
    pub(super) fn state_again(&mut self, input: u8, delivery: &Delivery) {
        let stated = self.standing.iter_mut().find(|s| s.input == input && s.connection == delivery.connection);
        if let Some(stated) = stated {
            stated.at = Some(delivery.received_at);
        }
    }

    pub(super) fn state(&mut self, stated: Stated) {
        self.standing.retain(|s| s.input != stated.input);
        push_bounded(&mut self.standing, stated);
    }
}

impl Remembered {
    pub(super) fn new(
        key: &str,
        what: Option<(PressKind, ButtonKey)>,
        seen: Recalled,
        proven_boots: u32,
        delivery: &Delivery,
    ) -> Self {
        Self {
            key: key.to_owned(),
            what,
            seen,
            proven_boots,
            connection: delivery.connection,
            client_id: delivery.client_id.as_deref().map(shortened),
            packet_id: delivery.packet_id,
            payload_hash: delivery.payload_hash,
            at: delivery.received_at,
        }
    }

    pub(super) fn is_client(&self, client_id: Option<&str>) -> bool {
        self.client_id == client_id.map(shortened)
    }
}

/// Whether two times are at most `window` apart, in either order: clocks are also set back.
pub(super) fn within(window: SignedDuration, a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() <= window
}

pub(super) fn standing_key(boot: u32, input: u8, counter: u64) -> String {
    format!("b{boot}-i{input}-{counter}")
}

fn shortened(client_id: &str) -> String {
    client_id.chars().take(CLIENT_ID_KEPT).collect()
}

pub(super) fn push_bounded<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.remove(0);
    }
    list.push(item);
}
