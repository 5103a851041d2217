//! The demo's script: a list of events with their time and actor.

use std::ops::RangeInclusive;

use crewbell_shared::button::{ButtonKey, PressKind, Telemetry};
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::SEED;
use super::cast::{Cast, DEVICES, LOST};
use crate::clock::Ids;
use crate::devices::dialects::Ignored;

/// The firmware of the demo's buttons.
const FIRMWARE: &str = "2.4.1";

/// An event of the script.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    /// The time.
    pub(super) at: Timestamp,
    /// The actor.
    pub(super) by: By,
    /// The event.
    pub(super) deed: DemoAction,
}

/// The actor of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The server, during the set-up.
    Server,
    /// A button, as an index of the devices.
    Button(usize),
    /// A member of the crew, as an index.
    Person(usize),
}

/// The content of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DemoAction {
    /// A command's verb.
    Do(Verb),
    /// A press.
    Press(Press),
    /// A recording arrives, with its transcript.
    Speak { transcript: &'static str, duration_ms: u32 },
    /// A button's telemetry.
    Hear(Telemetry),
    /// Messages of a device that are not recognised.
    Babble(Babble),
    /// The PIN of a crew member, by index.
    GivePin(usize),
    /// The password of a button, by index.
    GivePassword(usize),
    /// The site's join code.
    GiveJoinCode,
}

/// A press of a button.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Press {
    pub(super) kind: PressKind,
    pub(super) key: ButtonKey,
    /// The press id that the device assigns.
    pub(super) name: String,
    pub(super) vitals: Telemetry,
    /// The seed of the ids that it generates.
    pub(super) seed: u64,
    /// The request that it creates or joins.
    pub(super) request: Option<RequestId>,
}

/// An unrecognised message, and the number of its repetitions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Babble {
    pub(super) device: &'static str,
    pub(super) why: Ignored,
    pub(super) topic: &'static str,
    pub(super) sample: &'static str,
    pub(super) times: i64,
}

/// The builder of the script.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The current time.
    pub(super) now: Timestamp,
    pub(super) cast: Cast,
    pub(super) rng: Xoshiro256PlusPlus,
    pub(super) ids: Ids,
    deeds: Vec<Planned>,
    presses: u64,
}

impl Timeline {
    /// Creates an empty script.
    pub(super) fn new(now: Timestamp, set_up_at: Timestamp) -> Self {
        Self {
            now,
            cast: Cast::new(set_up_at),
            rng: Xoshiro256PlusPlus::seed_from_u64(SEED + 1),
            ids: Ids::seeded(SEED + 2),
            deeds: Vec::new(),
            presses: 0,
        }
    }

    /// Returns the cast and all events, sorted by time, with the press ids assigned.
    pub(super) fn finish(mut self) -> (Cast, Vec<Planned>) {
        self.deeds.sort_by_key(|planned| planned.at);
        let mut pressed = [0_u32; DEVICES.len()];
        for planned in &mut self.deeds {
            if let (By::Button(device), DemoAction::Press(press)) = (planned.by, &mut planned.deed) {
                pressed[device] += 1;
                press.name = format!("{:04x}-{}", 0x2a10 + device * 0x01f3, pressed[device]);
            }
        }
        (self.cast, self.deeds)
    }

    /// Draws a duration from a range of seconds.
    pub(super) fn seconds(&mut self, range: RangeInclusive<i64>) -> SignedDuration {
        SignedDuration::from_secs(self.rng.random_range(range))
    }

    /// Adds an event.
    pub(super) fn happens(&mut self, at: Timestamp, by: By, deed: DemoAction) {
        self.deeds.push(Planned { at, by, deed });
    }

    /// Adds a command of a crew member.
    pub(super) fn does(&mut self, at: Timestamp, person: usize, verb: Verb) {
        self.happens(at, By::Person(person), DemoAction::Do(verb));
    }

    /// Adds a press that creates a request; returns the request's id.
    pub(super) fn rings(&mut self, at: Timestamp, device: usize, kind: PressKind, key: ButtonKey) -> RequestId {
        let seed = self.next_seed();
        // The request's id is the first that a press generates.
        let request = Ids::seeded(seed).next(at);
        self.press(at, device, kind, key, seed, Some(request));
        request
    }

    /// Adds another press of the same button for a request.
    pub(super) fn rings_again(
        &mut self,
        at: Timestamp,
        device: usize,
        kind: PressKind,
        key: ButtonKey,
        request: RequestId,
    ) {
        let seed = self.next_seed();
        self.press(at, device, kind, key, seed, Some(request));
    }

    /// Adds a guest's press that toggles do-not-disturb.
    pub(super) fn switches_rest(&mut self, at: Timestamp, device: usize) {
        let seed = self.next_seed();
        self.press(at, device, PressKind::Single, ButtonKey::Aux1, seed, None);
    }

    fn press(
        &mut self,
        at: Timestamp,
        device: usize,
        kind: PressKind,
        key: ButtonKey,
        seed: u64,
        request: Option<RequestId>,
    ) {
        let vitals = self.vitals(device, at);
        let press = Press { kind, key, name: String::new(), vitals, seed, request };
        self.happens(at, By::Button(device), DemoAction::Press(press));
    }

    /// Returns a button's telemetry at a time: a battery loses a percent a day.
    pub(super) fn vitals(&self, device: usize, at: Timestamp) -> Telemetry {
        let known = &DEVICES[device];
        let days = self.now.duration_since(at).as_hours() / 24;
        let battery = known.battery.saturating_add(u8::try_from(days).unwrap_or_default()).min(100);
        Telemetry {
            online: Some(true),
            battery_percent: Some(battery),
            rssi_dbm: Some(known.rssi),
            firmware: Some(FIRMWARE.to_owned()),
            ..Telemetry::default()
        }
    }

    /// Adds the telemetry of every button; the lost one is reported offline by its last will.
    pub(super) fn check_buttons(&mut self, at: Timestamp, lost_at: Option<Timestamp>) {
        for device in 0..DEVICES.len() {
            let (at, vitals) = match lost_at {
                Some(lost_at) if device == LOST => (lost_at, Telemetry { online: Some(false), ..Telemetry::default() }),
                Some(_) | None => {
                    let at = at + SignedDuration::from_secs(i64::try_from(device).unwrap_or_default());
                    (at, self.vitals(device, at))
                }
            };
            self.happens(at, By::Button(device), DemoAction::Hear(vitals));
        }
    }

    fn next_seed(&mut self) -> u64 {
        self.presses += 1;
        SEED + 1_000 + self.presses
    }
}

/// Returns the hour of the day in ship's time, which is UTC.
pub(super) fn hour(at: Timestamp) -> i8 {
    at.to_zoned(TimeZone::UTC).hour()
}

/// Rounds a time down to a multiple of `seconds` since 1970.
pub(super) fn rounded(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(seconds) * seconds).unwrap_or(at)
}
