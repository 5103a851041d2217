//! The course of one request: raised, accepted, completed, and the possible steps in between.

use crewbell_shared::button::{ButtonKey, PressKind};
use crewbell_shared::ids::RequestId;
use crewbell_shared::person::{Right, Role, allows};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::distr::{Distribution, weighted::WeightedIndex};
use rand::seq::IndexedRandom;

use super::cast::{CABINS, CREW};
use super::texts::{Errand, ON_CALLS, ON_DECK, ON_DECK_DRINKS, ON_DRINKS, ON_FOOD, ON_LIGHTS, REASONS, SPOKEN};
use super::timeline::{By, DemoAction, Timeline, hour};

/// The origin of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask<'a> {
    /// A guest presses a button.
    Pressed { device: usize, kind: PressKind, key: ButtonKey },
    /// A crew member raises it.
    Sent { by: usize, errand: &'a Errand },
}

/// The course of a request after it was raised.
#[derive(Clone, Copy, Debug)]
enum Course {
    Served,
    HandedOver,
    Released,
    Mistake,
    MistakeSeenThere,
}

/// The frequency of each course, in percent.
const COURSES: [(Course, usize); 5] = [
    (Course::Served, 84),
    (Course::HandedOver, 6),
    (Course::Released, 4),
    (Course::Mistake, 4),
    (Course::MistakeSeenThere, 2),
];

/// Writes the whole course of a request, and returns its end time.
pub(super) fn tell(script: &mut Timeline, at: Timestamp, ask: Ask<'_>) -> Timestamp {
    let (request, asked_at) = asked(script, at, ask);
    let drawn = COURSES.choose_weighted(&mut script.rng, |(_, weight)| *weight);
    let course = drawn.map_or(Course::Served, |(course, _)| *course);
    let accepted_at = asked_at + patience(script, ask);
    let Some(first) = hand(script, accepted_at, ask, None) else {
        return asked_at;
    };
    let mistake = matches!(course, Course::Mistake | Course::MistakeSeenThere);
    let course = if mistake && !allows(CREW[first].role, Right::CancelRequests) { Course::Served } else { course };
    if matches!(course, Course::Mistake) {
        return cancelled(script, accepted_at, first, request);
    }
    script.does(accepted_at, first, Verb::Request(RequestVerb::Accept { request_id: request }));
    let (holder, since) = match course {
        Course::Served | Course::Mistake => (first, accepted_at),
        Course::MistakeSeenThere => {
            let at = accepted_at + script.seconds(60..=180);
            return cancelled(script, at, first, request);
        }
        Course::HandedOver => {
            let at = accepted_at + script.seconds(40..=120);
            match hand(script, at, ask, Some(first)) {
                Some(to) => {
                    let to_id = script.cast.people[to].id;
                    script.does(at, first, Verb::Request(RequestVerb::HandOver { request_id: request, to: to_id }));
                    (to, at)
                }
                None => (first, accepted_at),
            }
        }
        Course::Released => {
            let released_at = accepted_at + script.seconds(50..=150);
            let again_at = released_at + script.seconds(25..=110);
            script.does(released_at, first, Verb::Request(RequestVerb::Release { request_id: request }));
            let second = hand(script, again_at, ask, Some(first)).unwrap_or(first);
            script.does(again_at, second, Verb::Request(RequestVerb::Accept { request_id: request }));
            (second, again_at)
        }
    };
    let done_at = since + work(script, ask);
    if script.rng.random_ratio(14, 100) {
        let at = since + (done_at.duration_since(since) * 2) / 3;
        if let Some(text) = notes_on(ask).choose(&mut script.rng) {
            note(script, at, holder, request, text);
        }
    }
    script.does(done_at, holder, Verb::Request(RequestVerb::Complete { request_id: request }));
    done_at
}

/// Writes the start of a request; returns its id and the time of the guest's last press.
pub(super) fn asked(script: &mut Timeline, at: Timestamp, ask: Ask<'_>) -> (RequestId, Timestamp) {
    match ask {
        Ask::Sent { by, errand } => {
            let request_id = script.ids.next(at);
            let verb = Verb::Request(RequestVerb::Create {
                request_id,
                place_id: script.cast.places[errand.spot],
                kind: errand.kind,
                service: errand.service.map(str::to_owned),
                priority: errand.priority,
                text: Some(errand.text.to_owned()),
            });
            script.does(at, by, verb);
            (request_id, at)
        }
        Ask::Pressed { device, kind, key } => {
            let request = script.rings(at, device, kind, key);
            if kind == PressKind::Long {
                if let Some(&(transcript, duration_ms)) = SPOKEN.choose(&mut script.rng) {
                    spoken(script, at, device, transcript, duration_ms);
                }
                return (request, at);
            }
            let mut last = at;
            // Guests press again soon or not at all; after the site's press window it would be another request.
            if script.rng.random_ratio(9, 100) {
                for _ in 0..script.rng.random_range(1..=2) {
                    last += script.seconds(6..=18);
                    script.rings_again(last, device, kind, key, request);
                }
            }
            (request, last)
        }
    }
}

/// Writes a guest's recording, which arrives after the button is released.
pub(super) fn spoken(script: &mut Timeline, at: Timestamp, device: usize, transcript: &'static str, duration_ms: u32) {
    let at = at + SignedDuration::from_millis(i64::from(duration_ms) + 900);
    script.happens(at, By::Button(device), DemoAction::Speak { transcript, duration_ms });
}

/// Writes a note on a request.
pub(super) fn note(script: &mut Timeline, at: Timestamp, by: usize, request_id: RequestId, text: &str) {
    let note_id = script.ids.next(at);
    script.does(at, by, Verb::Request(RequestVerb::Note { request_id, note_id, text: text.to_owned() }));
}

fn cancelled(script: &mut Timeline, at: Timestamp, by: usize, request_id: RequestId) -> Timestamp {
    let reason = REASONS.choose(&mut script.rng).map(|&reason| reason.to_owned());
    script.does(at, by, Verb::Request(RequestVerb::Cancel { request_id, reason }));
    at
}

/// Returns the possible notes.
fn notes_on(ask: Ask<'_>) -> &'static [&'static str] {
    let Ask::Pressed { device, kind, key } = ask else {
        return &[];
    };
    match (key, kind) {
        (ButtonKey::Aux2, _) => &ON_LIGHTS,
        (ButtonKey::Aux3, _) => &ON_FOOD,
        (ButtonKey::Aux4, _) if device < CABINS => &ON_DRINKS,
        (ButtonKey::Aux4, _) => &ON_DECK_DRINKS,
        (_, PressKind::Single | PressKind::Double) if device < CABINS => &ON_CALLS,
        (_, PressKind::Single | PressKind::Double) => &ON_DECK,
        (_, _) => &[],
    }
}

/// Draws the time until acceptance: mostly under two minutes, four at most.
fn patience(script: &mut Timeline, ask: Ask<'_>) -> SignedDuration {
    match ask {
        Ask::Pressed { kind: PressKind::Double, .. } => script.seconds(20..=70),
        Ask::Pressed { .. } | Ask::Sent { .. } => script.seconds(20..=240).min(script.seconds(20..=240)),
    }
}

/// Draws the time until completion: from two minutes for a lamp to a quarter of an hour for a meal.
fn work(script: &mut Timeline, ask: Ask<'_>) -> SignedDuration {
    match ask {
        Ask::Pressed { key: ButtonKey::Aux2, .. } => script.seconds(120..=360),
        Ask::Pressed { key: ButtonKey::Aux3, .. } => script.seconds(420..=900),
        Ask::Pressed { .. } | Ask::Sent { .. } => script.seconds(120..=720),
    }
}

/// Draws the crew member who accepts: among those on duty, mostly the stewards; the technician for lights only.
fn hand(script: &mut Timeline, at: Timestamp, ask: Ask<'_>, not: Option<usize>) -> Option<usize> {
    let lights = matches!(ask, Ask::Pressed { key: ButtonKey::Aux2, .. });
    let now = hour(at);
    let weights = CREW.iter().enumerate().map(|(index, member)| match member.role {
        _ if !member.works_at(now) || not == Some(index) => 0,
        Role::Crew => 10,
        Role::Supervisor => 2,
        Role::Technician if lights => 12,
        Role::Technician | Role::Dispatcher | Role::Admin => 0,
    });
    Some(WeightedIndex::new(weights).ok()?.sample(&mut script.rng))
}
