//! Table and property tests of all verbs.

use crate::button::ButtonVerb;
use crate::call::CallVerb;
use crate::guest::GuestVerb;
use crate::guest::StayVerb;
use crate::person::PersonVerb;
use crate::place::PlaceVerb;
use crate::request::RequestVerb;
use crate::site::SiteVerb;
use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::Code;
use crate::call::About;
use crate::call::Call;
use crate::ids::{EndpointId, RequestId};
use crate::person::{Person, Role};
use crate::place::PlaceKind;
use crate::request::{Acceptance, Kind, Priority, Request, RequestState};
use crate::site::SiteSettings;
use crate::testing::{
    Yacht, alex, at, button, by, cabin, dana, deck, gus, id, open_request, person, ringing_call, saloon, sam, siri,
    stay, tom,
};

const MINE: u128 = 52;
const SAMS: u128 = 53;
const CALL: u128 = 82;
const OTHERS: u128 = 83;
const MISSED: u128 = 84;

/// A request accepted by a person.
fn held(number: u128, by: &Person) -> Request {
    let acceptance = Acceptance { accepted_by: by.as_ref(), accepted_at: at(20) };
    Request { id: id(number), state: RequestState::Accepted(acceptance), ..open_request(at(10)) }
}

/// Every verb, with arguments that are valid on the table's yacht; and its owner, where that matters.
fn rows(me: PersonId) -> Vec<(Verb, &'static str)> {
    let create = Verb::Request(RequestVerb::Create {
        request_id: id(51),
        place_id: cabin().id,
        kind: Kind::Call,
        service: None,
        priority: None,
        text: None,
    });
    let (kind, name) = (PlaceKind::Cabin, "Cabin 8".to_owned());
    let save_place =
        Verb::Place(PlaceVerb::Save { place_id: id(8), parent_id: Some(deck().id), name, kind, position: 8 });
    let settings = SiteSettings { press_window_s: 30, ..SiteSettings::default() };
    vec![
        (create, ""),
        (Verb::Request(RequestVerb::Accept { request_id: id(50) }), ""),
        (Verb::Request(RequestVerb::Accept { request_id: id(SAMS) }), " of Sam's"),
        (Verb::Request(RequestVerb::Release { request_id: id(MINE) }), ""),
        (Verb::Request(RequestVerb::Release { request_id: id(SAMS) }), " of Sam's"),
        (Verb::Request(RequestVerb::HandOver { request_id: id(MINE), to: sam().id }), ""),
        (Verb::Request(RequestVerb::HandOver { request_id: id(SAMS), to: dana().id }), " of Sam's"),
        (Verb::Request(RequestVerb::Complete { request_id: id(MINE) }), ""),
        (Verb::Request(RequestVerb::Complete { request_id: id(SAMS) }), " of Sam's"),
        (Verb::Request(RequestVerb::Cancel { request_id: id(MINE), reason: None }), ""),
        (Verb::Request(RequestVerb::Cancel { request_id: id(SAMS), reason: None }), " of Sam's"),
        (Verb::Request(RequestVerb::Note { request_id: id(SAMS), note_id: id(9), text: "Towels".into() }), " of Sam's"),
        (Verb::Button(ButtonVerb::Assign { button_id: button().id, place_id: saloon().id, name: None }), ""),
        (
            Verb::Button(ButtonVerb::Create {
                button_id: id(41),
                device: "b".into(),
                place_id: saloon().id,
                name: None,
            }),
            "",
        ),
        (Verb::Button(ButtonVerb::Retire { button_id: button().id }), ""),
        (save_place, ""),
        (Verb::Place(PlaceVerb::SetDoNotDisturb { place_id: cabin().id, on: true }), ""),
        (Verb::Guest(GuestVerb::Save { guest_id: id(61), name: "Greta".into(), notes: String::new() }), ""),
        (Verb::Stay(StayVerb::CheckIn { stay_id: id(71), guest_id: gus().id, place_id: saloon().id }), ""),
        (Verb::Stay(StayVerb::CheckOut { stay_id: stay().id }), ""),
        (Verb::Person(PersonVerb::Save { person_id: id(9), name: "Nils".into(), role: Role::Crew, active: true }), ""),
        (Verb::Person(PersonVerb::SetDuty { person_id: me, on_duty: false }), ""),
        (Verb::Person(PersonVerb::SetDuty { person_id: sam().id, on_duty: false }), " of Sam"),
        (Verb::Site(SiteVerb::SaveSettings { settings }), ""),
        (Verb::Call(CallVerb::Start { call_id: id(81), callee_id: dana().id, about: None, endpoint: None }), ""),
        (Verb::Call(CallVerb::Answer { call_id: id(CALL), endpoint: None }), ""),
        (Verb::Call(CallVerb::Answer { call_id: id(OTHERS), endpoint: None }), " of others"),
        (Verb::Call(CallVerb::Reject { call_id: id(CALL) }), ""),
        (Verb::Call(CallVerb::End { call_id: id(CALL), dropped: false }), ""),
        (Verb::Call(CallVerb::End { call_id: id(OTHERS), dropped: false }), " of others"),
        (Verb::Call(CallVerb::See { call_id: id(MISSED) }), ""),
        (Verb::Person(PersonVerb::SetBusy { person_id: me, busy: true }), ""),
        (Verb::Person(PersonVerb::SetBusy { person_id: sam().id, busy: true }), " of Sam"),
    ]
}

/// The calls of the table: one that Sam makes, one that he made and that timed out, one between others.
fn calls(me: &Person) -> [Call; 3] {
    let call = |number, second| Call { id: id(number), callee: me.as_ref(), ..ringing_call(at(second)) };
    let ended = crate::call::decide(call(MISSED, -60), crate::call::Command::Expire, &Actor::System, at(80)).unwrap().0;
    let others = Call { caller: siri().as_ref(), callee: tom().as_ref(), ..call(OTHERS, 80) };
    [call(CALL, 80), ended, others]
}

/// The expected table of permissions. An x is done. Of the refusals, a dot is `not_allowed`, a dash `not_active`, and
/// an s says that Sam or others have it (`not_yours`, `already_accepted`, `not_your_call`).
#[test]
fn every_verb_by_everybody() {
    let robin = |role, active| Person { active, ..person(10, "Robin", role) };
    let people = Role::ALL.map(|role| robin(role, true)).into_iter().chain([robin(Role::Admin, false)]);
    let others = [Actor::Button { name: "Cabin 5".into() }, Actor::System];
    let actors: Vec<Actor> = people.map(Actor::Person).chain(others).collect();
    let mark = |verb: &Verb, actor: &Actor| {
        let me = actor.person().cloned().unwrap_or_else(|| robin(Role::Crew, true));
        let yacht = Yacht::default().with(held(MINE, &me)).with(held(SAMS, &sam()));
        // A caller is in no call yet.
        let calls = if matches!(verb, Verb::Call(CallVerb::Start { .. })) { Vec::new() } else { calls(&me).to_vec() };
        let yacht = calls.into_iter().fold(yacht, Yacht::with).with(me);
        match decide(verb, &yacht, actor, at(90)) {
            Ok(changes) if changes.is_empty() => "=",
            Ok(_) => "x",
            Err(Refusal { code: Code::NotAllowed, .. }) => ".",
            Err(Refusal { code: Code::NotActive, .. }) => "-",
            Err(Refusal { code: Code::NotYours | Code::AlreadyAccepted | Code::NotYourCall, .. }) => "s",
            Err(_) => "!",
        }
    };
    let row = |(verb, whose): (Verb, &str)| {
        let marks: String = actors.iter().map(|actor| mark(&verb, actor)).collect();
        format!("{marks} {}{whose}", verb.name())
    };
    let table: Vec<String> = rows(id(10)).into_iter().map(row).collect();
    // crew, supervisor, technician, dispatcher, admin, an admin who left, a button, the server
    assert_eq!(
        table,
        [
            "xxxxx-xx create_request",
            "xxxxx-.. accept_request",
            "sssss-.. accept_request of Sam's",
            "xxxxx-.. release_request",
            "sxsxx-.. release_request of Sam's",
            "xxxxx-.. hand_over_request",
            "sxsxx-.. hand_over_request of Sam's",
            "xxxxx-.. complete_request",
            "sxsxx-.. complete_request of Sam's",
            "xx.xx-.. cancel_request",
            "sx.xx-.. cancel_request of Sam's",
            "xxxxx-.. note_request of Sam's",
            ".x.xx-xx assign_button",
            ".x.xx-xx create_button",
            ".x.xx-xx retire_button",
            ".x.xx-xx save_place",
            "xxxxx-xx set_do_not_disturb",
            ".x.xx-xx save_guest",
            ".x.xx-xx check_in",
            ".x.xx-xx check_out",
            "....x-xx save_person",
            "xxxxx-xx set_duty",
            ".x.xx-xx set_duty of Sam",
            "....x-xx save_settings",
            "xxxxx-.. start_call",
            "xxxxx-.. answer_call",
            "sssss-.. answer_call of others",
            "xxxxx-.. reject_call",
            "xxxxx-.. end_call",
            "sssss-.. end_call of others",
            "xxxxx-.. see_call",
            "xxxxx-xx set_busy",
            ".....-xx set_busy of Sam",
        ]
    );
}

#[test]
fn the_table_has_every_verb() {
    let every: BTreeSet<String> = Verb::NAMES.concat().into_iter().map(str::to_owned).collect();
    let rows: BTreeSet<String> = rows(id(10)).iter().map(|(verb, _)| verb.name().to_owned()).collect();
    assert_eq!(rows, every);
}

/// The server's later decisions on a device's queued commands equal those that the offline device made, each on the
/// predicted state after the previous ones.
#[test]
fn what_is_decided_offline_is_decided_alike_later() {
    let (guest, stay, request) = (id(61), id(71), id(51));
    let verbs = [
        Verb::Guest(GuestVerb::Save { guest_id: guest, name: "Greta".into(), notes: String::new() }),
        Verb::Stay(StayVerb::CheckOut { stay_id: id(70) }),
        Verb::Stay(StayVerb::CheckIn { stay_id: stay, guest_id: guest, place_id: cabin().id }),
        Verb::Request(RequestVerb::Create {
            request_id: request,
            place_id: cabin().id,
            kind: Kind::Service,
            service: Some("lights".into()),
            priority: None,
            text: None,
        }),
        Verb::Request(RequestVerb::Accept { request_id: request }),
        Verb::Request(RequestVerb::Complete { request_id: request }),
    ];
    let decided = |from: i64| {
        let mut yacht = Yacht::default();
        let mut told = Vec::new();
        for (verb, second) in verbs.iter().zip(from..) {
            let changes = decide(verb, &yacht, &by(&dana()), at(second)).unwrap();
            told.extend(changes.iter().map(|change| (change.kind, change.entity.entity_type(), change.entity.id())));
            yacht.apply(changes);
        }
        (
            told,
            yacht.get::<RequestId>(request).map(|request| (request.guest_id, request.priority, request.state.as_str())),
        )
    };
    assert_eq!(decided(100), decided(9_000));
    assert_eq!(decided(100).1, Some((Some(guest), Priority::Low, "completed")));
}

/// The ids of the yacht's entities, each range with one or two that don't exist.
const PEOPLE: Range<u128> = 1..7;
const PLACES: Range<u128> = 4..9;
const BUTTONS: Range<u128> = 40..43;
const REQUESTS: Range<u128> = 50..56;
const GUESTS: Range<u128> = 60..63;
const STAYS: Range<u128> = 70..74;
const CALLS: Range<u128> = 80..86;

fn any_id<T: From<uuid::Uuid> + std::fmt::Debug>(of: Range<u128>) -> impl Strategy<Value = T> {
    of.prop_map(id)
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("cabin-5".to_owned()),
        Just("lights".to_owned()),
        Just("x".repeat(3000)),
        "[a-z ]{0,9}",
        any::<String>()
    ]
}

fn any_settings() -> impl Strategy<Value = SiteSettings> {
    (0..900_u32, 0..5000_u32, 0..400_u32, any::<bool>(), any_text()).prop_map(|(press, days, ring, none, code)| {
        let usual = SiteSettings::default();
        let mut settings = SiteSettings { press_window_s: press, retention_days: days, ring_time_s: ring, ..usual };
        if none {
            settings.services.clear();
        } else {
            settings.services[0].code = code;
        }
        settings
    })
}

fn any_verb() -> impl Strategy<Value = Verb> {
    prop_oneof![any_verb_on_requests(), any_verb_on_things(), any_verb_on_people(), any_verb_on_calls()]
}

fn any_verb_on_calls() -> impl Strategy<Value = Verb> {
    use proptest::option::of;
    let call = || any_id(CALLS);
    let about = prop_oneof![
        any_id::<RequestId>(REQUESTS).prop_map(|id| (EntityType::Request, id.0)),
        any_id::<PlaceId>(PLACES).prop_map(|id| (EntityType::Place, id.0)),
        Just((EntityType::Site, uuid::Uuid::from_u128(1))),
    ];
    let about = about.prop_map(|(entity_type, id)| About { entity_type: entity_type.into(), id, name: String::new() });
    let endpoint = || of(any_id::<EndpointId>(90..92));
    prop_oneof![
        (call(), any_id(PEOPLE), of(about), endpoint()).prop_map(|(call_id, callee_id, about, endpoint)| {
            Verb::Call(CallVerb::Start { call_id, callee_id, about, endpoint })
        }),
        (call(), endpoint()).prop_map(|(call_id, endpoint)| Verb::Call(CallVerb::Answer { call_id, endpoint })),
        call().prop_map(|call_id| Verb::Call(CallVerb::Reject { call_id })),
        (call(), any::<bool>()).prop_map(|(call_id, dropped)| Verb::Call(CallVerb::End { call_id, dropped })),
        call().prop_map(|call_id| Verb::Call(CallVerb::See { call_id })),
        (any_id(PEOPLE), any::<bool>())
            .prop_map(|(person_id, busy)| Verb::Person(PersonVerb::SetBusy { person_id, busy })),
    ]
}

fn any_verb_on_requests() -> impl Strategy<Value = Verb> {
    use proptest::option::of;
    let request = || any_id(REQUESTS);
    let wish = (select(Kind::ALL.to_vec()), of(any_text()), of(select(Priority::ALL.to_vec())), of(any_text()));
    prop_oneof![
        (request(), any_id(PLACES), wish).prop_map(|(request_id, place_id, (kind, service, priority, text))| {
            Verb::Request(RequestVerb::Create { request_id, place_id, kind, service, priority, text })
        }),
        request().prop_map(|request_id| Verb::Request(RequestVerb::Accept { request_id })),
        request().prop_map(|request_id| Verb::Request(RequestVerb::Release { request_id })),
        (request(), any_id(PEOPLE))
            .prop_map(|(request_id, to)| Verb::Request(RequestVerb::HandOver { request_id, to })),
        request().prop_map(|request_id| Verb::Request(RequestVerb::Complete { request_id })),
        (request(), of(any_text()))
            .prop_map(|(request_id, reason)| Verb::Request(RequestVerb::Cancel { request_id, reason })),
        (request(), any_text()).prop_map(|(request_id, text)| Verb::Request(RequestVerb::Note {
            request_id,
            note_id: id(9),
            text
        })),
    ]
}

fn any_verb_on_things() -> impl Strategy<Value = Verb> {
    use proptest::option::of;
    let kind = select(PlaceKind::ALL.to_vec());
    prop_oneof![
        (any_id(BUTTONS), any_id(PLACES), of(any_text()))
            .prop_map(|(button_id, place_id, name)| Verb::Button(ButtonVerb::Assign { button_id, place_id, name })),
        (any_id(BUTTONS), any_text(), any_id(PLACES), of(any_text())).prop_map(
            |(button_id, device, place_id, name)| Verb::Button(ButtonVerb::Create {
                button_id,
                device,
                place_id,
                name
            })
        ),
        any_id(BUTTONS).prop_map(|button_id| Verb::Button(ButtonVerb::Retire { button_id })),
        (any_id(PLACES), of(any_id(PLACES)), any_text(), kind, any::<i32>()).prop_map(
            |(place_id, parent_id, name, kind, position)| Verb::Place(PlaceVerb::Save {
                place_id,
                parent_id,
                name,
                kind,
                position
            })
        ),
        (any_id(PLACES), any::<bool>())
            .prop_map(|(place_id, on)| Verb::Place(PlaceVerb::SetDoNotDisturb { place_id, on })),
        any_settings().prop_map(|settings| Verb::Site(SiteVerb::SaveSettings { settings })),
    ]
}

fn any_verb_on_people() -> impl Strategy<Value = Verb> {
    let role = select(Role::ALL.to_vec());
    prop_oneof![
        (any_id(GUESTS), any_text(), any_text()).prop_map(|(guest_id, name, notes)| Verb::Guest(GuestVerb::Save {
            guest_id,
            name,
            notes
        })),
        (any_id(STAYS), any_id(GUESTS), any_id(PLACES))
            .prop_map(|(stay_id, guest_id, place_id)| Verb::Stay(StayVerb::CheckIn { stay_id, guest_id, place_id })),
        any_id(STAYS).prop_map(|stay_id| Verb::Stay(StayVerb::CheckOut { stay_id })),
        (any_id(PEOPLE), any_text(), role, any::<bool>()).prop_map(|(person_id, name, role, active)| Verb::Person(
            PersonVerb::Save { person_id, name, role, active }
        )),
        (any_id(PEOPLE), any::<bool>())
            .prop_map(|(person_id, on_duty)| Verb::Person(PersonVerb::SetDuty { person_id, on_duty })),
    ]
}

fn any_actor() -> impl Strategy<Value = Actor> {
    let gone = Person { active: false, ..alex() };
    let others =
        vec![by(&sam()), by(&dana()), by(&alex()), by(&gone), Actor::Button { name: "5".into() }, Actor::System];
    prop_oneof![Just(by(&alex())), select(others)]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    let (min, max) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    (min..=max).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    /// Invariants of any sequence of verbs by any actors at any times. A success changes the verb's subject, as the
    /// last change; it requires the verb's references to exist; and a repetition changes nothing more, except for a
    /// note.
    #[test]
    fn no_history_breaks_the_rules(history in prop::collection::vec((any_verb(), any_actor(), any_time()), 1..60)) {
        let mut yacht = Yacht::default().with(held(MINE, &alex())).with(held(SAMS, &sam()));
        for (verb, actor, at) in history {
            let changes = match decide(&verb, &yacht, &actor, at) {
                Ok(changes) => changes,
                Err(refusal) => {
                    prop_assert!(!refusal.message.is_empty());
                    continue;
                }
            };
            for key in verb.meta().references {
                prop_assert!(decide(&verb, &yacht.clone().without(key), &actor, at).is_err(), "{:?}", verb);
            }
            let Some(last) = changes.last() else { continue };
            let changed = EntityKey::of(&last.entity);
            let site = Entity::from(yacht.site().clone());
            let before = verb.meta().subject.map_or(Some(&site), |subject| yacht.entity(subject));
            prop_assert_ne!(before, Some(&last.entity));
            let live: Vec<_> = yacht.live_calls().map(|call| call.id).collect();
            if changed.entity_type == EntityType::Call && matches!(verb, Verb::Call(CallVerb::Start { .. })) && live.contains(&changed.id.into()) {
                // A call to the person who is calling the actor answers that call.
                prop_assert_eq!(last.kind, "call_answered");
            } else if let Some(subject) = verb.meta().subject {
                prop_assert_eq!(changed, subject);
                prop_assert!(before.is_none() || !verb.meta().creates);
            }
            yacht.apply(changes);
            for person in PEOPLE.map(id::<PersonId>) {
                let live = yacht.live_calls().filter(|call| call.is_party(person)).count();
                prop_assert!(live <= 1, "{person} is in {live} calls");
            }
            if !matches!(verb, Verb::Request(RequestVerb::Note { .. })) {
                let again = decide(&verb, &yacht, &actor, at).unwrap_or_default();
                prop_assert_eq!(again, Vec::new(), "{:?}", verb);
            }
        }
    }
}
