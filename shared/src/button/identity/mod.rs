//! Duplicate detection: whether a press is new, or the repetition of a known one.
//!
//! Devices resend unacknowledged messages, so repetitions are normal; counters restart at every boot, so equal numbers
//! are normal too. The rule is *in doubt, ring*: a press that rings twice is a nuisance, a press swallowed as a
//! repetition is a failure. A press counts as a repetition only on positive evidence, and only within the time in which
//! devices resend. On weaker evidence it is new but *doubtful*: it is recorded and counted on the request of the press
//! that it may repeat, and it doesn't toggle back what that press toggled.
//!
//! [`Memory`] is the dedup state. It is stored with the button in the transaction that stores the press, so that a
//! resend after a crash is recognised. Every key that [`judge`] returns is unique for that button for ever: within one
//! boot number counters only rise, and a counter that doesn't rise gets a higher boot number. Boot numbers start from
//! the clock, so that even a lost memory doesn't lead to a reused key.

use jiff::{SignedDuration, Timestamp};

use super::dedup_state::{Recalled, Remembered, Stated, standing_key, within};
use super::{ButtonKey, DedupState, Evidence, PressKind, SeenPress, Telemetry};

/// Window in which an equal identity means the same press: clients retry after seconds.
const RESEND_WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// Window in which equal bytes are one press, for a device without press ids: bridges publish a press twice within
/// milliseconds.
const ECHO_WINDOW: SignedDuration = SignedDuration::from_secs(2);
/// Window in which a DUP flag or an equal uptime makes a press doubtful: a device that was cut off resends when it is
/// back.
const DOUBT_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Window in which an equal frame number means the same frame: gateways and network servers deliver late, and numbers
/// repeat only after a join.
const FRAME_WINDOW: SignedDuration = SignedDuration::from_mins(2);
/// Minimum uptime from which an equal uptime proves the same press. Devices that sleep and boot for each press report
/// the same few hundred milliseconds every time.
const TELLING_UPTIME_MS: u64 = 10_000;
/// Minimum time by which a boot must lie after a press to count as later: device clocks drift, and messages are
/// delayed.
const BOOT_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// The facts of one MQTT delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The number of the TCP connection. It identifies the device's own connection only if `client_id` is known.
    pub connection: u64,
    /// Clean Session (3.1.1) or Clean Start (5) of the connection.
    pub clean_start: bool,
    /// The client's previous connection, if that ended with a DISCONNECT: its messages were acknowledged, so no resend
    /// of them follows.
    pub said_goodbye: Option<u64>,
    /// MQTT's DUP flag (MQTT 5, section 3.3.1.1).
    pub dup: bool,
    /// Packet id; none at `QoS` 0, which has no resends.
    pub packet_id: Option<u16>,
    /// The device's client id; none behind an external broker, which doesn't pass it on.
    pub client_id: Option<String>,
    /// Hash of the payload's bytes; it must be the same in every version of the server.
    pub payload_hash: u64,
    /// The time of the message's arrival.
    pub received_at: Timestamp,
}

/// The result of duplicate detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classification {
    /// A new press: it rings.
    New {
        /// The press's identity, unique for this button for ever.
        press_key: String,
        /// Whether it may be the repetition of a recent press, on evidence too weak to suppress it: it counts on that
        /// press's request and toggles nothing.
        doubtful: bool,
        /// Whether the device used an id that it had used for another press.
        reuses_id: bool,
    },
    /// A repetition: acknowledged as a success, without ringing.
    Repeat {
        /// The key that the press got when it was new.
        press_key: String,
    },
}

/// A recorded press with the same name, which the memory may have dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The kind of the press.
    pub kind: PressKind,
    /// The key that was pressed.
    pub key: ButtonKey,
    /// The time of its arrival.
    pub received_at: Timestamp,
}

/// Classifies a press against its button's dedup state, and returns the new state. `recorded` is the recorded press
/// with the name that this one has, if any.
///
/// A repetition has the same kind and the same key; and
///
/// | evidence | by | for |
/// |---|---|---|
/// | [`Evidence::Named`] | the name, and the bytes where known | 30 s, with DUP 10 min |
/// | [`Evidence::Counted`] | the counter and the bytes, with no boot between; see below | 30 s |
/// | [`Evidence::Framed`] | the frame's number, with no join between | 2 min |
/// | | the counter of presses, with no join between and the frames rising | 30 s |
/// | [`Evidence::Standing`] | the input's counter unchanged | for ever |
/// | [`Evidence::Nothing`] | the bytes | 2 s |
/// | | DUP, and the client, packet id and bytes | 30 s |
///
/// An equal counter is another press's if the uptimes differ, if a boot was proven in between (a boot message, an
/// uptime that went back or is too short for the press before, a new connection after a DISCONNECT), if the bytes
/// differ (a resend repeats them: MQTT 5, section 4.4), or at `QoS` 0 after 2 s (it has no resends).
///
/// Doubtful are: a name with other bytes within 30 s; an equal counter and bytes on a new connection without DUP within
/// 30 s; an emergency that a counter alone marks as a repetition; DUP with the same bytes under a new packet id within
/// 30 s; DUP with the same packet id, or an equal uptime, and the same bytes within 10 minutes.
///
/// Costs a clone of the memory and eight comparisons at most.
pub fn classify(
    memory: &DedupState,
    press: &SeenPress,
    delivery: &Delivery,
    recorded: Option<Recorded>,
) -> (Classification, DedupState) {
    let mut next = memory.clone();
    let judging = Judging { press, delivery };
    let judgement = match &press.evidence {
        Evidence::Named(name) => judging.named(&mut next, name, recorded),
        Evidence::Counted { counter, uptime_ms } => judging.counted(&mut next, *counter, *uptime_ms),
        Evidence::Framed { frame, counter } => judging.framed(&mut next, *frame, *counter),
        Evidence::Standing { input, counter } => judging.standing(&mut next, *input, *counter),
        Evidence::Nothing => judging.unidentified(&mut next),
    };
    (judgement, next)
}

/// Updates the dedup state by a message without a press, which may prove a boot.
///
/// A boot message, an uptime that went back or began after the last press, or a standing counter that went back start a
/// new boot; anything else leaves counters valid. `at` is when the message arrived.
#[must_use]
pub fn note_health(memory: &DedupState, vitals: &Telemetry, at: Timestamp) -> DedupState {
    let mut next = memory.clone();
    let went_back = matches!(
        (vitals.uptime_ms, memory.last_uptime_ms),
        (Some(now), Some(before)) if now < before
    );
    let last_press = memory.recent.iter().map(|known| known.at).max();
    let began_since = vitals.uptime_ms.zip(last_press).is_some_and(|(uptime, last)| began_after(uptime, at, last));
    if vitals.booted || went_back || began_since {
        next.prove_boot(at);
    }
    if let Some(uptime) = vitals.uptime_ms {
        next.last_uptime_ms = Some(uptime);
        // Counters last stated before the device booted are of an earlier boot: the same figure again is a new press.
        let is_old = |stated: &Stated| stated.at.is_some_and(|stated_at| began_after(uptime, at, stated_at));
        if next.standing.iter().any(&is_old) {
            next.standing.retain(|stated| !is_old(stated));
            next.raise_boot(at);
        }
    }
    if let Some((input, counter)) = vitals.standing {
        // Only a lower figure is evidence: an equal or higher one may belong to a press still to come.
        if next.standing.iter().any(|s| s.input == input && counter < s.counter) {
            next.standing.retain(|s| s.input != input);
            next.raise_boot(at);
        }
    }
    next
}

/// Returns whether a recording is a repetition, by its bytes, and the new dedup state. Two recordings never have equal
/// bytes, but transcripts and URLs may; so without sound only an echo, or a message with the DUP flag, is a repetition.
pub fn classify_recording(memory: &DedupState, delivery: &Delivery, has_sound: bool) -> (bool, DedupState) {
    let mut next = memory.clone();
    let window = match (has_sound, delivery.dup) {
        (true, _) => DOUBT_WINDOW,
        (false, true) => RESEND_WINDOW,
        (false, false) => ECHO_WINDOW,
    };
    let repeated = next
        .recordings
        .iter()
        .any(|(hash, at)| *hash == delivery.payload_hash && within(window, *at, delivery.received_at));
    if !repeated {
        super::dedup_state::push_bounded(&mut next.recordings, (delivery.payload_hash, delivery.received_at));
    }
    (repeated, next)
}

/// Whether a device with a given uptime at a time booted after another time.
fn began_after(uptime_ms: u64, at: Timestamp, other: Timestamp) -> bool {
    let up = SignedDuration::from_millis(i64::try_from(uptime_ms).unwrap_or(i64::MAX));
    at.saturating_sub(up).is_ok_and(|began| began.duration_since(other) > BOOT_SLACK)
}

/// A press and its delivery.
#[derive(Clone, Copy)]
struct Judging<'a> {
    press: &'a SeenPress,
    delivery: &'a Delivery,
}

/// The meaning of an equal counter.
enum Likeness {
    Same,
    Doubtful,
    Another,
}

impl Judging<'_> {
    fn named(self, memory: &mut DedupState, name: &str, recorded: Option<Recorded>) -> Classification {
        let at = self.delivery.received_at;
        let known = memory.recent.iter().rev().find(|known| known.seen.name.as_deref() == Some(name));
        let (reuses_id, doubtful) = match (known, recorded) {
            (Some(known), _) => {
                let what = self.is_what(known);
                if what && self.has_bytes(known) && within(self.resends_for(), known.at, at) {
                    return Classification::Repeat { press_key: known.key.clone() };
                }
                (true, what && within(RESEND_WINDOW, known.at, at))
            }
            (None, Some(recorded)) => {
                let what = (recorded.kind, recorded.key) == (self.press.kind, self.press.key);
                if what && within(self.resends_for(), recorded.received_at, at) {
                    return Classification::Repeat { press_key: name.to_owned() };
                }
                (true, false)
            }
            (None, None) => (false, false),
        };
        let press_key = if reuses_id { format!("{name}~{}", memory.make_up(at)) } else { name.to_owned() };
        let seen = Recalled { name: Some(name.to_owned()), ..Recalled::default() };
        self.remember(memory, &press_key, seen);
        Classification::New { press_key, doubtful, reuses_id }
    }

    fn counted(self, memory: &mut DedupState, counter: u64, uptime_ms: Option<u64>) -> Classification {
        let uptime_ms = uptime_ms.or(self.press.vitals.uptime_ms);
        let booted = self.press.vitals.booted;
        let mut doubtful = false;
        for known in memory.recent.iter().rev().filter(|known| known.seen.counter == Some(counter)) {
            match self.likeness(known, uptime_ms, memory.proven_boots) {
                Likeness::Same => return Classification::Repeat { press_key: known.key.clone() },
                Likeness::Doubtful => doubtful = true,
                Likeness::Another => {}
            }
        }
        let at = self.delivery.received_at;
        let rises = memory.last_counter.is_none_or(|last| counter > last);
        let uptime_went_back = matches!((uptime_ms, memory.last_uptime_ms), (Some(now), Some(before)) if now < before);
        // With a rising counter, a lower uptime is a press that waited in the device's queue.
        if booted || (uptime_went_back && !rises) {
            memory.prove_boot(at);
        } else if !rises || memory.boot == 0 {
            memory.raise_boot(at);
        }
        memory.last_counter = Some(counter);
        if uptime_ms.is_some() {
            memory.last_uptime_ms = uptime_ms;
        }
        let press_key = format!("b{}-{counter}", memory.boot);
        self.remember(memory, &press_key, Recalled { counter: Some(counter), uptime_ms, ..Recalled::default() });
        Classification::New { press_key, doubtful, reuses_id: false }
    }

    /// Compares a press with a known one of the same counter, as its possible resend.
    fn likeness(self, known: &Remembered, uptime_ms: Option<u64>, proven_boots: u32) -> Likeness {
        let Delivery { dup, packet_id, received_at: at, .. } = *self.delivery;
        let uptimes = known.seen.uptime_ms.zip(uptime_ms);
        // A resend repeats its bytes.
        if !self.is_what(known) || !self.has_bytes(known) || uptimes.is_some_and(|(then, now)| then != now) {
            return Likeness::Another;
        }
        let soon = within(RESEND_WINDOW, known.at, at);
        // A connection doesn't survive a reboot.
        let same_connection = self.delivery.client_id.is_some() && self.is_client(known) && self.is_connection(known);
        let another_boot = known.proven_boots != proven_boots || self.press.vitals.booted;
        let flagged = dup && packet_id.is_some();
        if (another_boot || self.is_after_goodbye(known)) && !same_connection {
            // The DUP flag says that it may be a resend: after a boot that was reported late, or of a session that
            // outlives a DISCONNECT.
            return if flagged && soon { Likeness::Doubtful } else { Likeness::Another };
        }
        let telling = uptimes.is_some_and(|(_, now)| now >= TELLING_UPTIME_MS);
        if !soon {
            let doubtful = (telling || (flagged && self.is_packet(known))) && within(DOUBT_WINDOW, known.at, at);
            return if doubtful { Likeness::Doubtful } else { Likeness::Another };
        }
        if telling || flagged || within(ECHO_WINDOW, known.at, at) {
            return Likeness::Same;
        }
        // `QoS` 0 has no resends.
        if packet_id.is_none() {
            return Likeness::Another;
        }
        let new_connection = self.delivery.client_id.is_some() && !same_connection;
        if new_connection || self.is_emergency() { Likeness::Doubtful } else { Likeness::Same }
    }

    fn framed(self, memory: &mut DedupState, frame: u64, counter: Option<u64>) -> Classification {
        let at = self.delivery.received_at;
        let is_alike = |known: &&Remembered| {
            let Some(before) = known.seen.frame else { return false };
            let same_frame = before == frame && within(FRAME_WINDOW, known.at, at);
            let same_press = counter.is_some() && frame > before && within(RESEND_WINDOW, known.at, at);
            self.is_what(known) && known.seen.counter == counter && (same_frame || same_press)
        };
        let is_of_this_boot = |known: &&Remembered| is_alike(known) && known.proven_boots == memory.proven_boots;
        if let Some(known) = memory.recent.iter().rev().find(is_of_this_boot) {
            return Classification::Repeat { press_key: known.key.clone() };
        }
        // The join may be reported after its first frame, which then comes again.
        let doubtful = memory.recent.iter().any(|known| is_alike(&known) && self.has_bytes(known));
        let rises = memory.last_counter.is_none_or(|last| frame > last);
        if self.press.vitals.booted {
            memory.prove_boot(at);
        } else if !rises || memory.boot == 0 {
            memory.raise_boot(at);
        }
        memory.last_counter = Some(frame);
        let press_key = format!("f{}-{frame}", memory.boot);
        self.remember(memory, &press_key, Recalled { counter, frame: Some(frame), ..Recalled::default() });
        Classification::New { press_key, doubtful, reuses_id: false }
    }

    fn standing(self, memory: &mut DedupState, input: u8, counter: u64) -> Classification {
        let at = self.delivery.received_at;
        let rises = match memory.standing.iter().find(|s| s.input == input) {
            Some(last) if last.counter == counter => {
                // The same figure with another kind of press is of another boot.
                if last.kind.is_none_or(|kind| kind == self.press.kind) {
                    let press_key = standing_key(last.boot, input, counter);
                    memory.state_again(input, self.delivery);
                    return Classification::Repeat { press_key };
                }
                false
            }
            Some(last) => counter > last.counter,
            // An input that isn't in a full list may have been dropped from it, with keys of this boot.
            None => !memory.is_standing_full(),
        };
        if !rises || memory.boot == 0 {
            memory.raise_boot(at);
        }
        let boot = memory.boot;
        let (kind, connection) = (Some(self.press.kind), self.delivery.connection);
        memory.state(Stated { input, counter, boot, kind, connection, at: Some(at) });
        let press_key = standing_key(boot, input, counter);
        self.remember(memory, &press_key, Recalled::default());
        Classification::New { press_key, doubtful: false, reuses_id: false }
    }

    fn unidentified(self, memory: &mut DedupState) -> Classification {
        let Delivery { dup, received_at: at, .. } = *self.delivery;
        let mut doubtful = false;
        for known in memory.recent.iter().rev().filter(|known| self.is_what(known) && self.has_bytes(known)) {
            let flagged = dup && self.is_client(known);
            let soon = within(RESEND_WINDOW, known.at, at);
            let redelivered = flagged && self.is_packet(known);
            if within(ECHO_WINDOW, known.at, at) || (soon && redelivered) {
                return Classification::Repeat { press_key: known.key.clone() };
            }
            doubtful |= (soon && flagged) || (redelivered && within(DOUBT_WINDOW, known.at, at));
        }
        // A generated key, by which a repetition can refer to the press that it repeats.
        let press_key = format!("t{}", memory.make_up(at));
        self.remember(memory, &press_key, Recalled::default());
        Classification::New { press_key, doubtful, reuses_id: false }
    }

    /// The window for an equal name: longer with the DUP flag, which a device sets after an outage of its own or of the
    /// server.
    fn resends_for(self) -> SignedDuration {
        if self.delivery.dup && self.delivery.packet_id.is_some() { DOUBT_WINDOW } else { RESEND_WINDOW }
    }

    fn remember(self, memory: &mut DedupState, press_key: &str, seen: Recalled) {
        let what = Some((self.press.kind, self.press.key));
        let known = Remembered::new(press_key, what, seen, memory.proven_boots, self.delivery);
        super::dedup_state::push_bounded(&mut memory.recent, known);
    }

    fn is_emergency(self) -> bool {
        match self.press.kind {
            PressKind::Shake | PressKind::Emergency => true,
            PressKind::Single | PressKind::Double | PressKind::Long => false,
        }
    }

    fn is_what(self, known: &Remembered) -> bool {
        known.what == Some((self.press.kind, self.press.key))
    }

    fn has_bytes(self, known: &Remembered) -> bool {
        known.payload_hash == self.delivery.payload_hash
    }

    fn is_client(self, known: &Remembered) -> bool {
        known.is_client(self.delivery.client_id.as_deref())
    }

    fn is_connection(self, known: &Remembered) -> bool {
        known.connection == self.delivery.connection
    }

    fn is_packet(self, known: &Remembered) -> bool {
        known.packet_id.is_some() && known.packet_id == self.delivery.packet_id
    }

    /// Whether a known press came on a connection that ended with a DISCONNECT: then the device knows that it was
    /// acknowledged.
    fn is_after_goodbye(self, known: &Remembered) -> bool {
        self.delivery.said_goodbye.is_some_and(|connection| known.connection <= connection) && self.is_client(known)
    }
}

#[cfg(test)]
mod tests;
