//! Whether a press is new, or the repetition of one that is already known.
//!
//! Devices resend what was not acknowledged, so repetitions are normal; counters start again at every boot,
//! so equal figures are normal too. The rule is *in doubt, ring*: a press that rings twice is a nuisance, a
//! press swallowed as a repetition is a failure. A press is called a repetition only on positive grounds.
//!
//! [`Memory`] is stored with the button in the transaction that stores the press, so that a resend after a
//! crash finds it. Every key that [`judge`] gives out is new for that button for ever: within one boot number
//! counters only rise, and whatever does not rise gets a higher boot number. Boot numbers start from the
//! clock, so that even a memory that was lost does not lead to a key that was used before.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Evidence, Vitals};

/// How many presses are remembered: enough for the retries in flight of one device, small enough for a row.
const REMEMBERED: usize = 8;
/// An equal counter within this time is a resend, whatever else is known: clients retry after seconds.
const RESEND_WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// How long a DUP flag is believed. Longer, and the first press after an unseen reboot, lost once and resent
/// with the counter and packet id that every first press has, would be taken for the press remembered.
const DUP_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// From here on an equal uptime proves the same press. Devices that sleep and boot for each press say the
/// same few hundred milliseconds every time.
const TELLING_UPTIME_MS: u64 = 10_000;
/// Longest client id kept, in characters (MQTT allows 65,535 bytes).
const CLIENT_ID_KEPT: usize = 64;

/// What a button remembers between presses; stored as JSON on the button's row.
///
/// Opaque to everyone else: made by `default()`, [`judge`] and [`note_health`]. Bounded to some 3 kB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The number in keys. It rises with each boot that is proven or assumed; 0 before the first press.
    boot: u32,
    /// How many boots were proven, by uptime or by the device's word.
    proven_boots: u32,
    last_counter: Option<u64>,
    last_uptime_ms: Option<u64>,
    /// The last number made up for a press without any identity, in microseconds since 1970.
    last_made_up: i64,
    /// Oldest first.
    recent: Vec<Remembered>,
    /// Keys of presses that name themselves, oldest first.
    names: Vec<String>,
    /// The last press of each counting input, oldest first.
    standing: Vec<Stated>,
}

/// One press that rang.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Remembered {
    key: String,
    counter: Option<u64>,
    uptime_ms: Option<u64>,
    proven_boots: u32,
    connection: u64,
    client_id: Option<String>,
    packet_id: Option<u16>,
    payload_hash: u64,
    at: Timestamp,
}

/// The last press of one input that counts for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stated {
    input: u8,
    counter: u64,
    boot: u32,
}

/// Facts of one MQTT delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Changes with each TCP connection; means the device's own connection only when `client_id` is known.
    pub connection: u64,
    /// Clean Session (3.1.1) or Clean Start (5) of the connection.
    pub clean_start: bool,
    /// MQTT's DUP flag (MQTT 5, section 3.3.1.1).
    pub dup: bool,
    /// Packet id; none at `QoS` 0.
    pub packet_id: Option<u16>,
    /// The device's client id; none behind an external broker, which does not pass it on.
    pub client_id: Option<String>,
    /// Hash of the payload's bytes; must be the same in every version of the server.
    pub payload_hash: u64,
    /// When the message arrived.
    pub received_at: Timestamp,
}

/// Whether a press is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Not seen before: it rings.
    New {
        /// The press's identity, unique for this button for ever. At present always there.
        press_key: Option<String>,
    },
    /// Seen before: answered as a success, without ringing.
    Repeat {
        /// The key that the press got when it was new. At present always there.
        press_key: Option<String>,
    },
}

/// Judges one press against what its button remembers, and says what to remember from now on.
///
/// | evidence | a repetition is |
/// |---|---|
/// | [`Evidence::Named`] | one of the last few names (older ones are caught by the unique key) |
/// | [`Evidence::Counted`] | an equal counter that is believable as a resend: see below |
/// | [`Evidence::Standing`] | the input's counter unchanged, however much later |
/// | [`Evidence::Nothing`] | DUP, and the client, packet id and payload of a press of the last 10 minutes |
///
/// An equal counter is believable as a resend when the uptime is equal too (decisive from 10 s of uptime on;
/// another uptime is another press); or when no boot was proven in between and it comes within 30 s, or with
/// DUP, the same client, packet id and payload within 10 minutes; or, boot or not, with the same payload
/// within 30 s on the same TCP connection, which no reboot survives. A new clean connection with another
/// payload is not a resend, which repeats its bytes (MQTT 5, section 4.4).
///
/// Costs a clone of the memory; no more than eight comparisons.
pub fn judge(memory: &Memory, evidence: &Evidence, vitals: &Vitals, delivery: &Delivery) -> (Judgement, Memory) {
    let mut next = memory.clone();
    let judgement = match evidence {
        Evidence::Named(name) => next.judge_named(name),
        Evidence::Counted { counter, uptime_ms } => {
            let uptime_ms = uptime_ms.or(vitals.uptime_ms);
            next.judge_counted(*counter, uptime_ms, vitals.booted, delivery)
        }
        Evidence::Framed { frame, counter } => {
            next.judge_counted(counter.unwrap_or(*frame), vitals.uptime_ms, vitals.booted, delivery)
        }
        Evidence::Standing { input, counter } => next.judge_standing(*input, *counter, delivery),
        Evidence::Nothing => next.judge_unidentified(delivery),
    };
    (judgement, next)
}

/// Remembers what a message without a press says about the device's boots.
///
/// A boot message, an uptime that went back, or a stated counter that went back start a new boot; anything
/// else leaves counters valid. `at` is when the message arrived.
#[must_use]
pub fn note_health(memory: &Memory, vitals: &Vitals, at: Timestamp) -> Memory {
    let mut next = memory.clone();
    let went_back = matches!(
        (vitals.uptime_ms, memory.last_uptime_ms),
        (Some(now), Some(before)) if now < before
    );
    if vitals.booted || went_back {
        next.prove_boot(at);
    }
    if vitals.uptime_ms.is_some() {
        next.last_uptime_ms = vitals.uptime_ms;
    }
    if let Some((input, counter)) = vitals.standing {
        // Only a lower figure means anything: an equal or higher one may be that of a press still to come.
        if next.standing.iter().any(|s| s.input == input && counter < s.counter) {
            next.standing.retain(|s| s.input != input);
            next.raise_boot(at);
        }
    }
    next
}

impl Memory {
    fn judge_named(&mut self, name: &str) -> Judgement {
        let press_key = Some(name.to_owned());
        if self.names.iter().any(|known| known == name) {
            return Judgement::Repeat { press_key };
        }
        push_bounded(&mut self.names, name.to_owned());
        Judgement::New { press_key }
    }

    fn judge_counted(&mut self, counter: u64, uptime_ms: Option<u64>, booted: bool, delivery: &Delivery) -> Judgement {
        let equal = |r: &&Remembered| r.counter == Some(counter);
        let resent = self
            .recent
            .iter()
            .rev()
            .filter(equal)
            .find(|known| known.is_resent_by(uptime_ms, booted, self.proven_boots, delivery));
        if let Some(known) = resent {
            return Judgement::Repeat { press_key: Some(known.key.clone()) };
        }
        let rises = self.last_counter.is_none_or(|last| counter > last);
        let uptime_went_back = matches!((uptime_ms, self.last_uptime_ms), (Some(now), Some(before)) if now < before);
        // With a counter that rises, a lower uptime is a press that waited in the device's queue.
        if booted || (uptime_went_back && !rises) {
            self.prove_boot(delivery.received_at);
        } else if !rises || self.boot == 0 {
            self.raise_boot(delivery.received_at);
        }
        self.last_counter = Some(counter);
        if uptime_ms.is_some() {
            self.last_uptime_ms = uptime_ms;
        }
        let key = format!("b{}-{counter}", self.boot);
        self.remember(key, Some(counter), uptime_ms, delivery)
    }

    fn judge_standing(&mut self, input: u8, counter: u64, delivery: &Delivery) -> Judgement {
        let last = self.standing.iter().find(|s| s.input == input);
        let rises = match last {
            Some(last) if last.counter == counter => {
                let press_key = Some(standing_key(last.boot, input, counter));
                return Judgement::Repeat { press_key };
            }
            Some(last) => counter > last.counter,
            // An input not in a full list may have been pushed out of it, with keys of this boot.
            None => self.standing.len() < REMEMBERED,
        };
        if !rises || self.boot == 0 {
            self.raise_boot(delivery.received_at);
        }
        self.standing.retain(|s| s.input != input);
        push_bounded(&mut self.standing, Stated { input, counter, boot: self.boot });
        let key = standing_key(self.boot, input, counter);
        self.remember(key, None, None, delivery)
    }

    fn judge_unidentified(&mut self, delivery: &Delivery) -> Judgement {
        let resent = self.recent.iter().rev().find(|known| known.is_flagged_duplicate(delivery));
        if let Some(known) = resent {
            return Judgement::Repeat { press_key: Some(known.key.clone()) };
        }
        // Made up, so that a repetition can name the press that it repeats.
        let made_up = delivery.received_at.as_microsecond().max(self.last_made_up.saturating_add(1));
        self.last_made_up = made_up;
        self.remember(format!("t{made_up}"), None, None, delivery)
    }

    fn remember(
        &mut self,
        key: String,
        counter: Option<u64>,
        uptime_ms: Option<u64>,
        delivery: &Delivery,
    ) -> Judgement {
        let press_key = Some(key.clone());
        push_bounded(
            &mut self.recent,
            Remembered {
                key,
                counter,
                uptime_ms,
                proven_boots: self.proven_boots,
                connection: delivery.connection,
                client_id: delivery.client_id.as_deref().map(shortened),
                packet_id: delivery.packet_id,
                payload_hash: delivery.payload_hash,
                at: delivery.received_at,
            },
        );
        Judgement::New { press_key }
    }

    fn prove_boot(&mut self, at: Timestamp) {
        self.proven_boots = self.proven_boots.wrapping_add(1);
        self.last_uptime_ms = None;
        self.raise_boot(at);
    }

    /// Takes a boot number above all earlier ones, also above those of a memory that was lost.
    fn raise_boot(&mut self, at: Timestamp) {
        let seconds = u32::try_from(at.as_second().max(1)).unwrap_or(u32::MAX);
        self.boot = self.boot.saturating_add(1).max(seconds);
        self.last_counter = None;
    }
}

impl Remembered {
    /// Tells whether a press with the same counter is believable as a resend of this one.
    fn is_resent_by(&self, uptime_ms: Option<u64>, booted: bool, proven_boots: u32, delivery: &Delivery) -> bool {
        let soon = within(RESEND_WINDOW, self.at, delivery.received_at);
        let same_boot = self.proven_boots == proven_boots;
        if let (Some(then), Some(now)) = (self.uptime_ms, uptime_ms) {
            if then != now {
                return false;
            }
            if now >= TELLING_UPTIME_MS && (same_boot || soon) {
                return true;
            }
        }
        let same_payload = self.payload_hash == delivery.payload_hash;
        let device_connected = delivery.client_id.is_some() && self.is_client(delivery);
        let same_connection = device_connected && self.connection == delivery.connection;
        if soon && same_payload && same_connection {
            return true;
        }
        if !same_boot || (booted && !same_payload) {
            return false;
        }
        let started_clean = device_connected && !same_connection && delivery.clean_start;
        if soon && !delivery.dup && started_clean && !same_payload {
            return false;
        }
        soon || self.is_flagged_duplicate(delivery)
    }

    /// Tells whether MQTT itself says that this press is delivered again.
    fn is_flagged_duplicate(&self, delivery: &Delivery) -> bool {
        delivery.dup
            && self.packet_id.is_some()
            && self.packet_id == delivery.packet_id
            && self.payload_hash == delivery.payload_hash
            && self.is_client(delivery)
            && within(DUP_WINDOW, self.at, delivery.received_at)
    }

    fn is_client(&self, delivery: &Delivery) -> bool {
        self.client_id == delivery.client_id.as_deref().map(shortened)
    }
}

/// Tells whether two times are at most `window` apart, either way round: clocks are set back, too.
fn within(window: SignedDuration, a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() <= window
}

fn standing_key(boot: u32, input: u8, counter: u64) -> String {
    format!("b{boot}-i{input}-{counter}")
}

fn shortened(client_id: &str) -> String {
    client_id.chars().take(CLIENT_ID_KEPT).collect()
}

fn push_bounded<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.remove(0);
    }
    list.push(item);
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
