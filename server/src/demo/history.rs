//! The week of history, with a daily distribution of requests.

use crewbell_shared::button::{ButtonKey, PressKind};
use crewbell_shared::person::PersonVerb;
use crewbell_shared::person::Role;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::distr::{Distribution, weighted::WeightedIndex};
use rand::seq::IndexedRandom;

use super::cast::{CABINS, CREW, DEVICES, Device, MIA, SIRI, SPOTS, SUN_DECK, VIKTOR};
use super::request_course::{self, Ask};
use super::set_up;
use super::texts::{ERRANDS, Errand};
use super::timeline::{Timeline, hour, rounded};

/// The seconds of a day.
const DAY: i64 = 86_400;

/// The weight of each hour's requests, in ship's time: peaks at breakfast, sunset and late drinks, and a quiet night.
const RHYTHM: [usize; 24] = [3, 1, 1, 0, 0, 1, 3, 8, 13, 11, 7, 5, 7, 7, 4, 4, 5, 7, 11, 12, 8, 7, 9, 6];

/// The day of the week with the emergency.
const EMERGENCY_DAY: i64 = 4;

/// Writes the history between two times.
pub(super) fn write(script: &mut Timeline, from: Timestamp, until: Timestamp) {
    write_shifts(script, from, until);
    // The end of the latest request of each place; the next one there starts after it.
    let mut busy = [Timestamp::MIN; SPOTS.len()];
    for day in 0..=7 {
        let midnight = rounded(from, DAY) + SignedDuration::from_secs(day * DAY);
        set_up::write_moves(script, midnight, day);
        write_rests(script, midnight, from..=until);
        if day == EMERGENCY_DAY {
            write_emergency(script, midnight + SignedDuration::from_mins(15 * 60 + 46));
        }
        for at in times(script, midnight) {
            if at < from || at > until {
                continue;
            }
            if let Some((ask, spot)) = draw(script, at, day, &busy) {
                busy[spot] = request_course::tell(script, at, ask) + SignedDuration::from_mins(4);
            }
        }
    }
}

/// Draws the times of a day's requests.
fn times(script: &mut Timeline, midnight: Timestamp) -> Vec<Timestamp> {
    let Ok(hours) = WeightedIndex::new(RHYTHM) else { return Vec::new() };
    let count = script.rng.random_range(48..66);
    let draw = |_| {
        let hour = i64::try_from(hours.sample(&mut script.rng)).unwrap_or_default();
        midnight + SignedDuration::from_hours(hour) + script.seconds(0..=3_599)
    };
    let mut times: Vec<_> = (0..count).map(draw).collect();
    times.sort_unstable();
    times
}

/// Draws the origin and the place of a request.
fn draw(script: &mut Timeline, at: Timestamp, day: i64, busy: &[Timestamp]) -> Option<(Ask<'static>, usize)> {
    let now = hour(at);
    if script.rng.random_ratio(7, 100) {
        let fits = |errand: &&Errand| (errand.hours.0..errand.hours.1).contains(&now) && busy[errand.spot] < at;
        let fitting: Vec<_> = ERRANDS.iter().filter(fits).collect();
        let sender = |index: &usize| CREW[*index].works_at(now) && CREW[*index].role != Role::Admin;
        let senders: Vec<_> = (0..CREW.len()).filter(sender).collect();
        if let (Some(&errand), Some(&by)) = (fitting.choose(&mut script.rng), senders.choose(&mut script.rng)) {
            return Some((Ask::Sent { by, errand }, errand.spot));
        }
    }
    let weight = |(index, device): (usize, &Device)| {
        if busy[device.spot] < at { liveliness(index, day, now) } else { 0 }
    };
    let device = WeightedIndex::new(DEVICES.iter().enumerate().map(weight)).ok()?.sample(&mut script.rng);
    let (kind, key) = wish(script, now, device);
    Some((Ask::Pressed { device, kind, key }, DEVICES[device].spot))
}

/// Returns the weight of a button's presses.
fn liveliness(device: usize, day: i64, hour: i8) -> usize {
    if device < CABINS {
        let taken = set_up::is_taken(device + 1, day, hour);
        return if taken { [5, 4][usize::from(device > 0)] } else { 0 };
    }
    match (DEVICES[device].spot == SUN_DECK, hour) {
        (true, 10..=16) => 9,
        (true, 17..=20) => 14,
        (false, 17..=23) => 11,
        (false, 8..=11) => 5,
        (_, 7..=23) => 2,
        (_, _) => 0,
    }
}

/// Draws the kind and the key of a press.
fn wish(script: &mut Timeline, hour: i8, device: usize) -> (PressKind, ButtonKey) {
    const WISHES: [(PressKind, ButtonKey); 6] = [
        (PressKind::Single, ButtonKey::Main),
        (PressKind::Double, ButtonKey::Main),
        (PressKind::Long, ButtonKey::Main),
        (PressKind::Single, ButtonKey::Aux2),
        (PressKind::Single, ButtonKey::Aux3),
        (PressKind::Single, ButtonKey::Aux4),
    ];
    let shared = device >= CABINS;
    let mut weights = match hour {
        6..=10 => [42, 4, 8, 1, 27, 8],
        11..=16 => [48, 6, 8, 1, 10, if shared { 40 } else { 14 }],
        17..=20 => [36, 5, 7, 6, 12, if shared { 50 } else { 18 }],
        _ => [40, 4, 6, 14, 5, 28],
    };
    if shared {
        // The script's recordings and lamps belong to cabins.
        (weights[2], weights[3]) = (0, 0);
    }
    WeightedIndex::new(weights).map_or(WISHES[0], |index| WISHES[index.sample(&mut script.rng)])
}

/// Writes the crew's duty changes: by their shifts, a little after the hour.
fn write_shifts(script: &mut Timeline, from: Timestamp, until: Timestamp) {
    let mut on_duty = [false; CREW.len()];
    let mut at = from;
    while at <= until {
        for (index, member) in CREW.iter().enumerate() {
            let now = member.works_at(hour(at));
            if now == on_duty[index] {
                continue;
            }
            on_duty[index] = now;
            let at = at + script.seconds(0..=240);
            let person_id = script.cast.people[index].id;
            script.does(at, index, Verb::Person(PersonVerb::SetDuty { person_id, on_duty: now }));
        }
        at += SignedDuration::from_hours(1);
    }
}

/// Writes the guests' do-not-disturb: on and off again after lunch, and one left on overnight that Mia switches off.
fn write_rests(script: &mut Timeline, midnight: Timestamp, span: std::ops::RangeInclusive<Timestamp>) {
    for device in [script.rng.random_range(0..3), script.rng.random_range(3..6)] {
        let on = midnight + SignedDuration::from_mins(13 * 60 + 20) + script.seconds(0..=1_800);
        let off = on + script.seconds(4_200..=7_200);
        if span.contains(&on) && span.contains(&off) {
            script.switches_rest(on, device);
            script.switches_rest(off, device);
        }
    }
    let night = 6;
    let on = midnight + SignedDuration::from_mins(22 * 60 + 50) + script.seconds(0..=2_400);
    let off = midnight + SignedDuration::from_hours(32) + script.seconds(600..=2_400);
    if span.contains(&on) && span.contains(&off) {
        script.switches_rest(on, night);
        let place_id = script.cast.places[DEVICES[night].spot];
        script.does(off, MIA, Verb::Place(PlaceVerb::SetDoNotDisturb { place_id, on: false }));
    }
}

/// The one emergency of the week: a fall in Cabin 7.
fn write_emergency(script: &mut Timeline, at: Timestamp) {
    let after = |seconds| at + SignedDuration::from_secs(seconds);
    let request_id = script.rings(at, 6, PressKind::Shake, ButtonKey::Main);
    script.does(after(9), VIKTOR, Verb::Request(RequestVerb::Accept { request_id }));
    request_course::note(script, after(71), SIRI, request_id, "With them in Cabin 7, first-aid bag here.");
    let text =
        "Mrs Abernathy slipped on the bathroom step. Ankle cooled and bandaged, no doctor needed; she is resting.";
    request_course::note(script, after(840), VIKTOR, request_id, text);
    script.does(after(1_380), VIKTOR, Verb::Request(RequestVerb::Complete { request_id }));
    request_course::note(
        script,
        after(9_000),
        SIRI,
        request_id,
        "Anti-slip mat laid. Looked in at six: walking again.",
    );
}
