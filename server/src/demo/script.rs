//! The script that the demo plays: what happens, when, by whom.

use crewbell_shared::button::{Key, PressKind, Vitals};
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::cast::{Cast, DEVICES, LOST};
use super::dice::{Dice, SEED};
use crate::clock::Ids;
use crate::devices::dialects::Ignored;

/// The firmware of the demo's buttons.
const FIRMWARE: &str = "2.4.1";

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    /// When.
    pub(super) at: Timestamp,
    /// By whom.
    pub(super) by: By,
    /// What.
    pub(super) deed: Deed,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The server, setting up.
    Server,
    /// A button, as an index of the devices.
    Button(usize),
    /// A member of the crew, as an index.
    Person(usize),
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    /// A verb.
    Do(Verb),
    /// A button is pressed.
    Press(Press),
    /// A recording reaches us, with what was recognised in it.
    Speak { transcript: &'static str, duration_ms: u32 },
    /// A button says how it is.
    Hear(Vitals),
    /// Something on board says what is no press.
    Babble(Babble),
    /// A member of the crew gets their PIN.
    GivePin(usize),
    /// A button gets its password.
    GivePassword(usize),
    /// The site gets its join code.
    GiveJoinCode,
}

/// A button is pressed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Press {
    pub(super) kind: PressKind,
    pub(super) key: Key,
    /// The id that the device gives it.
    pub(super) name: String,
    pub(super) vitals: Vitals,
    /// Where the ids that it makes come from.
    pub(super) seed: u64,
    /// The request that it makes or joins.
    pub(super) request: Option<RequestId>,
}

/// What is no press, and how often it was said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Babble {
    pub(super) device: &'static str,
    pub(super) why: Ignored,
    pub(super) topic: &'static str,
    pub(super) sample: &'static str,
    pub(super) times: i64,
}

/// The script in the writing.
#[derive(Debug)]
pub(super) struct Script {
    /// The present.
    pub(super) now: Timestamp,
    pub(super) cast: Cast,
    pub(super) dice: Dice,
    pub(super) ids: Ids,
    deeds: Vec<Planned>,
    presses: u64,
}

impl Script {
    /// An empty one.
    pub(super) fn new(now: Timestamp, set_up_at: Timestamp) -> Self {
        Self {
            now,
            cast: Cast::new(set_up_at),
            dice: Dice::new(SEED + 1),
            ids: Ids::seeded(SEED + 2),
            deeds: Vec::new(),
            presses: 0,
        }
    }

    /// The cast, and everything in the order in which it happened.
    pub(super) fn finish(mut self) -> (Cast, Vec<Planned>) {
        self.deeds.sort_by_key(|planned| planned.at);
        let mut pressed = [0_u32; DEVICES.len()];
        for planned in &mut self.deeds {
            if let (By::Button(device), Deed::Press(press)) = (planned.by, &mut planned.deed) {
                pressed[device] += 1;
                press.name = format!("{:04x}-{}", 0x2a10 + device * 0x01f3, pressed[device]);
            }
        }
        (self.cast, self.deeds)
    }

    /// Something happens.
    pub(super) fn happens(&mut self, at: Timestamp, by: By, deed: Deed) {
        self.deeds.push(Planned { at, by, deed });
    }

    /// Somebody does something.
    pub(super) fn does(&mut self, at: Timestamp, person: usize, verb: Verb) {
        self.happens(at, By::Person(person), Deed::Do(verb));
    }

    /// A button is pressed and makes a request.
    pub(super) fn rings(&mut self, at: Timestamp, device: usize, kind: PressKind, key: Key) -> RequestId {
        let seed = self.next_seed();
        // The request's id is the first that a press draws.
        let request = Ids::seeded(seed).next(at);
        self.press(at, device, kind, key, seed, Some(request));
        request
    }

    /// The same button is pressed again for a request that it made.
    pub(super) fn rings_again(&mut self, at: Timestamp, device: usize, kind: PressKind, key: Key, request: RequestId) {
        let seed = self.next_seed();
        self.press(at, device, kind, key, seed, Some(request));
    }

    /// A guest switches do-not-disturb.
    pub(super) fn switches_rest(&mut self, at: Timestamp, device: usize) {
        let seed = self.next_seed();
        self.press(at, device, PressKind::Single, Key::Aux1, seed, None);
    }

    fn press(
        &mut self,
        at: Timestamp,
        device: usize,
        kind: PressKind,
        key: Key,
        seed: u64,
        request: Option<RequestId>,
    ) {
        let vitals = self.vitals(device, at);
        let press = Press { kind, key, name: String::new(), vitals, seed, request };
        self.happens(at, By::Button(device), Deed::Press(press));
    }

    /// How a button was at a time: a battery loses a percent a day.
    pub(super) fn vitals(&self, device: usize, at: Timestamp) -> Vitals {
        let known = &DEVICES[device];
        let days = self.now.duration_since(at).as_hours() / 24;
        let battery = known.battery.saturating_add(u8::try_from(days).unwrap_or_default()).min(100);
        Vitals {
            online: Some(true),
            battery_percent: Some(battery),
            rssi_dbm: Some(known.rssi),
            firmware: Some(FIRMWARE.to_owned()),
            ..Vitals::default()
        }
    }

    /// Every button says how it is; the lost one is reported gone by its last will.
    pub(super) fn check_buttons(&mut self, at: Timestamp, lost_at: Option<Timestamp>) {
        for device in 0..DEVICES.len() {
            let (at, vitals) = match lost_at {
                Some(lost_at) if device == LOST => (lost_at, Vitals { online: Some(false), ..Vitals::default() }),
                Some(_) | None => {
                    let at = at + SignedDuration::from_secs(i64::try_from(device).unwrap_or_default());
                    (at, self.vitals(device, at))
                }
            };
            self.happens(at, By::Button(device), Deed::Hear(vitals));
        }
    }

    fn next_seed(&mut self) -> u64 {
        self.presses += 1;
        SEED + 1_000 + self.presses
    }
}

/// The hour of the day, ship's time, which is UTC.
pub(super) fn hour(at: Timestamp) -> i8 {
    at.to_zoned(TimeZone::UTC).hour()
}

/// A time rounded down to a multiple of so many seconds since 1970.
pub(super) fn rounded(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(seconds) * seconds).unwrap_or(at)
}
