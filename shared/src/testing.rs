//! Test fixtures. The cast: Siri and Sam are stewardesses, Dana dispatches, Tom is the technician, Alex administers;
//! Gus stays in cabin 5. [`Yacht`] is their site, as the rules see it.

#![expect(missing_docs, reason = "props of the tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::button::{Button, ButtonState, Health};
use crate::call::Call;
use crate::guest::{Guest, Stay};
use crate::ids::{PersonId, PlaceId, RequestId};
use crate::person::{Actor, Person, Role};
use crate::place::{Place, PlaceKind};
use crate::request::{Kind, Priority, Request, RequestState};
use crate::rules::{Change, Lookup, StateView};
use crate::site::{Site, SiteSettings};
use crate::{Entity, EntityKey, EntityType};

/// Reports that the calling test is skipped on this machine, and why. Rust's test harness counts it as passed; `cargo
/// xtask test` counts this line.
pub fn skipped(why: &str) {
    use std::io::Write;
    // The test harness names a test's thread after the test.
    let thread = std::thread::current();
    let line = skipped_line(thread.name().unwrap_or("a test"), why);
    // Written at once, and bypassing `println!`, whose output the harness captures for a test that passes. Write errors
    // are ignored: a closed output has no reader.
    drop(std::io::stdout().lock().write_all(line.as_bytes()));
}

/// The report as a line of its own, also after a partial line.
fn skipped_line(test: &str, why: &str) -> String {
    format!("\nskipped-test: {test}: {}\n", why.replace('\n', " "))
}

/// The time `seconds` after noon on a day in November.
pub fn at(seconds: i64) -> Timestamp {
    let noon = 1_795_262_400;
    Timestamp::from_second(noon + seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub fn person(number: u128, name: &str, role: Role) -> Person {
    Person { id: PersonId(Uuid::from_u128(number)), name: name.into(), role, on_duty: true, busy: false, active: true }
}

pub fn siri() -> Person {
    person(1, "Siri", Role::Crew)
}

pub fn sam() -> Person {
    person(2, "Sam", Role::Crew)
}

pub fn dana() -> Person {
    person(3, "Dana", Role::Dispatcher)
}

pub fn tom() -> Person {
    person(4, "Tom", Role::Technician)
}

pub fn alex() -> Person {
    person(5, "Alex", Role::Admin)
}

/// A person as an actor.
pub fn by(person: &Person) -> Actor {
    Actor::Person(person.clone())
}

/// The id with that number.
pub fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn place(number: u128, parent_id: Option<PlaceId>, name: &str, kind: PlaceKind) -> Place {
    Place { id: id(number), parent_id, name: name.into(), kind, position: 0, do_not_disturb: false }
}

pub fn deck() -> Place {
    place(4, None, "Lower deck", PlaceKind::Deck)
}

pub fn cabin() -> Place {
    place(5, Some(deck().id), "Cabin 5", PlaceKind::Cabin)
}

pub fn saloon() -> Place {
    place(6, None, "Saloon", PlaceKind::Shared)
}

pub fn gus() -> Guest {
    Guest { id: id(60), name: "Gus".into(), notes: "Left-handed".into() }
}

/// Gus in cabin 5.
pub fn stay() -> Stay {
    Stay { id: id(70), guest_id: gus().id, place_id: cabin().id, checked_in_at: at(0), checked_out_at: None }
}

/// The button of cabin 5.
pub fn button() -> Button {
    Button {
        id: id(40),
        device: "cabin-5".into(),
        name: None,
        state: ButtonState::Assigned,
        place_id: Some(cabin().id),
        has_credentials: false,
        health: Health::default(),
    }
}

/// A request from cabin 5, pressed once.
pub fn open_request(at: Timestamp) -> Request {
    Request {
        id: RequestId(Uuid::from_u128(50)),
        place_id: PlaceId(Uuid::from_u128(5)),
        place_name: "Cabin 5".into(),
        guest_id: None,
        button_id: None,
        created_by: None,
        created_at: at,
        kind: Kind::Call,
        service: None,
        priority: Priority::Normal,
        text: None,
        press_count: 1,
        last_press_id: Some("1".into()),
        last_press_at: Some(at),
        voice: None,
        held: None,
        notes: Vec::new(),
        state: RequestState::Open,
    }
}

/// Sam's call to Siri, which rings for a minute.
pub fn ringing_call(at: Timestamp) -> Call {
    Call {
        id: id(80),
        caller: sam().as_ref(),
        callee: siri().as_ref(),
        about: None,
        caller_endpoint: Some(id(90)),
        call_time: at,
        rings_until: at.saturating_add(jiff::SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX),
        seen_at: None,
        state: crate::call::CallState::Ringing,
    }
}

/// An in-memory site for the rules. By default the whole cast is aboard, and Gus has pressed.
#[derive(Clone, Debug)]
pub struct Yacht {
    site: Site,
    entities: BTreeMap<EntityKey, Entity>,
    /// People whom no call reaches.
    away: BTreeSet<PersonId>,
}

impl Default for Yacht {
    fn default() -> Self {
        let crew = [siri(), sam(), dana(), tom(), alex()];
        let places = [deck(), cabin(), saloon()];
        let yacht = crew.into_iter().fold(Self::empty(), Self::with);
        let yacht = places.into_iter().fold(yacht, Self::with);
        yacht.with(gus()).with(stay()).with(button()).with(open_request(at(10)))
    }
}

impl Yacht {
    /// A yacht without people or places.
    pub fn empty() -> Self {
        let site =
            Site { id: id(1), slug: "serenity".into(), name: "MY Serenity".into(), settings: SiteSettings::default() };
        Self { site, entities: BTreeMap::new(), away: BTreeSet::new() }
    }

    /// Adds or replaces an entity.
    #[must_use]
    pub fn with(mut self, entity: impl Into<Entity>) -> Self {
        self.put(entity.into());
        self
    }

    /// Removes an entity.
    #[must_use]
    pub fn without(mut self, key: EntityKey) -> Self {
        self.entities.remove(&key);
        self
    }

    /// Makes a person unreachable for calls.
    #[must_use]
    pub fn away(mut self, person: PersonId) -> Self {
        self.away.insert(person);
        self
    }

    /// The ringing and ongoing calls.
    pub fn live_calls(&self) -> impl Iterator<Item = &Call> {
        self.each::<Call>().filter(|call| call.is_live())
    }

    /// Applies changes; returns the types of their log entries.
    pub fn apply(&mut self, changes: Vec<Change>) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        for change in changes {
            kinds.push(change.kind);
            self.put(change.entity);
        }
        kinds
    }

    fn put(&mut self, entity: Entity) {
        if let Entity::Site(site) = entity {
            self.site = site;
        } else {
            self.entities.insert(EntityKey::of(&entity), entity);
        }
    }
}

impl StateView for Yacht {
    fn site(&self) -> &Site {
        &self.site
    }

    fn entity(&self, key: EntityKey) -> Option<&Entity> {
        self.entities.get(&key)
    }

    fn all(&self, entity_type: EntityType) -> Box<dyn Iterator<Item = &Entity> + '_> {
        let of_type = self.entities.range(EntityKey::first_of(entity_type)..);
        Box::new(of_type.take_while(move |(key, _)| key.entity_type == entity_type).map(|(_, entity)| entity))
    }

    fn is_reachable(&self, person: PersonId) -> bool {
        !self.away.contains(&person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said_in_one_line_that_can_be_counted() {
        let line = skipped_line("faults::full_disk", "no disk\ncan be mounted");
        assert_eq!(line, "\nskipped-test: faults::full_disk: no disk can be mounted\n");
    }

    /// Runs this test's own program again, because the summary is made from its output for a test that passes.
    #[test]
    fn what_is_left_out_is_told_though_the_test_passes() {
        const ASKED: &str = "CREWBELL_TEST_SKIPS";
        let name = "testing::tests::what_is_left_out_is_told_though_the_test_passes";
        if std::env::var_os(ASKED).is_some() {
            return skipped("it was asked to");
        }
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", name]).env(ASKED, "1").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success()
                && said.lines().any(|line| line == format!("skipped-test: {name}: it was asked to")),
            "{said}"
        );
    }
}
