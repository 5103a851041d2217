//! Tests of the script as data: its contents, and that the rules accept all of it.

use crewbell_shared::place::PlaceVerb;
use crewbell_shared::request::RequestVerb;
use std::collections::{BTreeMap, BTreeSet};

use crewbell_shared::button::{ButtonKey, Health};
use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::{Change, Command, Kind, Request, RequestState, Wish, decide, joins, pressed_again};
use crewbell_shared::site::SiteSettings;

use super::cast::{CABINS, LOST, VISITORS};
use super::timeline::{By, DemoAction, hour};
use super::*;
use crate::devices::dialects::{Dialects, RadioTable, Said};

/// Returns a Wednesday at 17:42 UTC.
fn wednesday() -> Timestamp {
    "2026-11-18T17:42:10Z".parse().unwrap()
}

/// Returns times at which the demo may be started: every hour, the turn of a day, of a month and of a year.
fn moments() -> Vec<Timestamp> {
    let odd = ["2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z", "2028-02-29T03:07:00Z"];
    let hours = (0..24).map(|hour| wednesday() + SignedDuration::from_hours(hour));
    hours.chain(odd.map(|text| text.parse().unwrap())).collect()
}

/// The result of a script under the rules, with the number of each kind of event.
struct Played {
    requests: BTreeMap<RequestId, Request>,
    resting: BTreeSet<PlaceId>,
    released: BTreeSet<RequestId>,
    happened: BTreeMap<&'static str, usize>,
}

/// Runs the requests of a script by the shared rules, without a database.
fn played(cast: &Cast, script: &[Planned]) -> Played {
    let mut played = Played {
        requests: BTreeMap::new(),
        resting: BTreeSet::new(),
        released: BTreeSet::new(),
        happened: BTreeMap::new(),
    };
    for planned in script {
        match (&planned.deed, planned.by) {
            (DemoAction::Press(press), By::Button(device)) => {
                let place = cast.places[DEVICES[device].spot];
                let wish = Wish::of_press(press.kind, press.key, &SiteSettings::default());
                let Some(id) = press.request else {
                    assert_eq!(press.key, ButtonKey::Aux1);
                    let on = played.resting.insert(place) || !played.resting.remove(&place);
                    *played.happened.entry(if on { "rest_on" } else { "rest_off" }).or_default() += 1;
                    continue;
                };
                let open = played.requests.values().filter(|request| request.place_id == place);
                let joined = open.filter(|request| joins(request, &wish, planned.at, &SiteSettings::default()));
                let joined = joined.max_by_key(|request| request.created_at).cloned();
                let request = match joined {
                    Some(request) => {
                        *played.happened.entry("request_pressed_again").or_default() += 1;
                        pressed_again(request, Some(press.name.clone()), planned.at)
                    }
                    None => new_request(planned.at, id, place, wish),
                };
                assert_eq!(request.id, id, "a press made or joined another request than foretold: {planned:?}");
                played.requests.insert(id, request);
            }
            (DemoAction::Do(verb), By::Person(person)) => {
                play_verb(&mut played, cast, planned.at, person, verb);
            }
            (DemoAction::Speak { .. }, By::Button(device)) => {
                let place = cast.places[DEVICES[device].spot];
                let spoken = played.requests.values().filter(|request| request.place_id == place);
                let spoken = spoken.filter(|request| request.kind == Kind::Voice);
                let spoken = spoken.max_by_key(|request| request.created_at).unwrap();
                assert!(planned.at.duration_since(spoken.created_at) < SignedDuration::from_secs(30));
                *played.happened.entry("voice").or_default() += 1;
            }
            _ => {}
        }
    }
    played
}

fn play_verb(played: &mut Played, cast: &Cast, at: Timestamp, person: usize, verb: &Verb) {
    let (id, command) = match verb {
        Verb::Place(PlaceVerb::SetDoNotDisturb { place_id, on }) => {
            assert!(!on && played.resting.remove(place_id), "a sign was taken off that wasn't there");
            return;
        }
        Verb::Request(RequestVerb::Create { request_id, place_id, kind, service, priority, text }) => {
            assert!(text.is_some());
            let priority = priority.unwrap_or(crewbell_shared::request::Priority::Normal);
            let wish = Wish { kind: *kind, service: service.clone(), priority };
            let request =
                Request { press_count: 0, last_press_at: None, ..new_request(at, *request_id, *place_id, wish) };
            played.requests.insert(*request_id, request);
            *played.happened.entry("sent").or_default() += 1;
            return;
        }
        Verb::Request(RequestVerb::Accept { request_id }) => (request_id, Command::Accept),
        Verb::Request(RequestVerb::Release { request_id }) => (request_id, Command::Release),
        Verb::Request(RequestVerb::HandOver { request_id, to }) => {
            let to = cast.people.iter().find(|person| person.id == *to).unwrap().clone();
            (request_id, Command::HandOver { to })
        }
        Verb::Request(RequestVerb::Complete { request_id }) => (request_id, Command::Complete),
        Verb::Request(RequestVerb::Cancel { request_id, reason }) => {
            (request_id, Command::Cancel { reason: reason.clone() })
        }
        Verb::Request(RequestVerb::Note { request_id, note_id, text }) => {
            (request_id, Command::Note { id: *note_id, text: text.clone() })
        }
        Verb::Place(PlaceVerb::Save { .. })
        | Verb::Button(_)
        | Verb::Guest(_)
        | Verb::Stay(_)
        | Verb::Person(_)
        | Verb::Site(_)
        | Verb::Call(_) => return,
    };
    let request = played.requests[id].clone();
    if command == Command::Release {
        played.released.insert(*id);
    }
    let accepted = command == Command::Accept;
    if let (true, Some(pressed)) = (accepted, request.last_press_at) {
        assert!(at > pressed, "accepted before it was pressed for: {request:?}");
    }
    let (request, change) = decide(request, command, &cast.people[person], at).unwrap();
    let change: Change = change.expect("every step of the script changes something");
    *played.happened.entry(change.entry_type()).or_default() += 1;
    played.requests.insert(*id, request);
}

fn new_request(at: Timestamp, id: RequestId, place_id: PlaceId, wish: Wish) -> Request {
    Request {
        id,
        place_id,
        place_name: String::new(),
        guest_id: None,
        button_id: None,
        created_by: None,
        created_at: at,
        kind: wish.kind,
        service: wish.service,
        priority: wish.priority,
        text: None,
        press_count: 1,
        last_press_id: None,
        last_press_at: Some(at),
        voice: None,
        held: None,
        notes: Vec::new(),
        state: RequestState::Open,
    }
}

fn count(played: &Played, state: &str) -> usize {
    played.requests.values().filter(|request| request.state.as_str() == state).count()
}

#[test]
fn the_same_moment_gives_the_same_week() {
    assert_eq!(plan(wednesday()).1, plan(wednesday()).1);
}

#[test]
fn the_rules_say_yes_to_every_step_and_three_are_open_at_the_end() {
    for now in moments() {
        let (cast, script) = plan(now);
        let played = played(&cast, &script);
        assert_eq!((count(&played, "open"), count(&played, "accepted")), (3, 2), "at {now}");
        assert!(count(&played, "completed") > 280, "at {now}");
        assert_eq!(played.resting.len(), 1, "at {now}");
    }
}

#[test]
fn everything_happens_in_order_and_nothing_in_the_future() {
    for now in moments() {
        let (_, script) = plan(now);
        assert!(script.is_sorted_by_key(|planned| planned.at));
        assert!(script.first().unwrap().at >= set_up_at(now));
        assert!(script.last().unwrap().at <= now);
    }
}

#[test]
fn every_list_has_something_in_it() {
    for now in moments() {
        let (cast, script) = plan(now);
        let played = played(&cast, &script);
        let at_least = [
            ("request_pressed_again", 12),
            ("request_handed_over", 5),
            ("request_released", 3),
            ("request_cancelled", 4),
            ("request_noted", 20),
            ("voice", 8),
            ("sent", 8),
            ("rest_on", 10),
        ];
        for (what, least) in at_least {
            let times = played.happened.get(what).copied().unwrap_or_default();
            assert!(times >= least, "{what} happened {times} times at {now}");
        }
        for kind in Kind::ALL {
            assert!(played.requests.values().any(|request| request.kind == kind), "no {kind:?} at {now}");
        }
        assert_eq!(played.requests.values().filter(|request| request.kind == Kind::Emergency).count(), 1);
    }
}

#[test]
fn a_day_has_its_rhythm() {
    let (cast, script) = plan(wednesday());
    let played = played(&cast, &script);
    let mut days: BTreeMap<i64, usize> = BTreeMap::new();
    let mut hours = [0_usize; 24];
    for request in played.requests.values() {
        *days.entry(request.created_at.as_second().div_euclid(86_400)).or_default() += 1;
        hours[usize::try_from(hour(request.created_at)).unwrap()] += 1;
    }
    let whole: Vec<_> = days.values().copied().skip(1).take(6).collect();
    assert!(whole.iter().all(|count| (40..=70).contains(count)), "{whole:?}");
    let breakfast: usize = hours[7..=9].iter().sum();
    let sunset: usize = hours[18..=20].iter().sum();
    let night: usize = hours[2..=4].iter().sum();
    let afternoon: usize = hours[14..=16].iter().sum();
    assert!(breakfast > afternoon && sunset > afternoon && afternoon > 3 * night, "{hours:?}");
}

#[test]
fn requests_are_taken_within_four_minutes_and_done_within_a_quarter_of_an_hour() {
    let (cast, script) = plan(wednesday());
    let played = played(&cast, &script);
    let daily = played.requests.values().filter(|request| request.kind != Kind::Emergency);
    for request in daily.filter(|request| !played.released.contains(&request.id)) {
        let RequestState::Completed { acceptance, completed_at, .. } = &request.state else {
            continue;
        };
        let asked_at = request.last_press_at.unwrap_or(request.created_at);
        let taken = acceptance.accepted_at.duration_since(asked_at).as_secs();
        let done = completed_at.duration_since(acceptance.accepted_at).as_secs();
        assert!((20..=240).contains(&taken), "{request:?}");
        // Two minutes more for requests that were handed to a colleague.
        assert!((120..=900 + 120).contains(&done), "{request:?}");
    }
}

#[test]
fn presses_have_names_of_their_own() {
    let (_, script) = plan(wednesday());
    let presses = script.iter().filter_map(|planned| match (&planned.deed, planned.by) {
        (DemoAction::Press(press), By::Button(device)) => Some((device, press.name.clone(), press.seed)),
        _ => None,
    });
    let presses: Vec<_> = presses.collect();
    let names: BTreeSet<_> = presses.iter().map(|(device, name, _)| (device, name)).collect();
    let seeds: BTreeSet<_> = presses.iter().map(|(_, _, seed)| seed).collect();
    assert_eq!((names.len(), seeds.len()), (presses.len(), presses.len()));
}

#[test]
fn names_pins_and_devices_are_unique() {
    fn distinct<'a>(all: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for name in all {
            assert!(seen.insert(name.to_lowercase()), "{name} is there twice");
        }
    }
    distinct(CREW.iter().map(|member| member.name));
    distinct(CREW.iter().map(|member| member.pin));
    distinct(SPOTS.iter().map(|spot| spot.name));
    distinct(DEVICES.iter().map(|device| device.id));
    distinct(VISITORS.iter().map(|visitor| visitor.name));
}

#[test]
fn there_are_twelve_cabins_on_three_decks_and_every_role() {
    use crewbell_shared::place::PlaceKind;
    let of = |kind| SPOTS.iter().filter(|spot| spot.kind == kind).count();
    assert_eq!((of(PlaceKind::Deck), of(PlaceKind::Cabin)), (3, CABINS));
    for role in Role::ALL {
        assert!(CREW.iter().any(|member| member.role == role), "{role:?}");
    }
    assert!((0..24).all(|hour| { CREW.iter().any(|member| member.role == Role::Crew && member.works_at(hour)) }));
}

#[test]
fn one_battery_is_low_and_one_button_is_lost() {
    let low = |percent: u8| percent <= Health::LOW_BATTERY_PERCENT;
    let lows: Vec<_> = (0..DEVICES.len()).filter(|&index| low(DEVICES[index].battery)).collect();
    assert_eq!(lows.len(), 1);
    let (_, script) = plan(wednesday());
    let last = script.iter().rfind(|planned| planned.by == By::Button(LOST)).unwrap();
    assert!(matches!(&last.deed, DemoAction::Hear(vitals) if vitals.online == Some(false)));
}

#[test]
fn what_is_shown_as_no_press_is_none() {
    let dialects = Dialects::new("obedio", RadioTable::default());
    for babble in last_hour::BABBLE {
        let vocabulary = crewbell_shared::button::Vocabulary::default();
        let decoded = dialects.decode(&vocabulary, babble.topic, babble.sample.as_bytes(), false);
        assert_eq!(decoded.heard[0].said, Said::Nothing(babble.why));
        assert_eq!(decoded.device.as_deref(), Some(babble.device));
    }
}
