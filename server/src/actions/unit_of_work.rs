//! Unit of work: the part of the site that a batch of actions reads, locked, loaded once, and changed in memory as they
//! decide.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_shared::button::{Button, ButtonKey, PressKind};
use crewbell_shared::call::Call;
use crewbell_shared::guest::{Guest, Stay, longest_in, others_stay_in};
use crewbell_shared::ids::{ButtonId, CallId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crewbell_shared::person::Person;
use crewbell_shared::place::Place;
use crewbell_shared::request::Request;
use crewbell_shared::rules::StateView;
use crewbell_shared::site::Site;
use jiff::Timestamp;
use uuid::Uuid;

use crate::db::buttons::{KnownButton, NewButtons};
use crate::db::presses::RecordedPress;
use crate::db::sessions::{IdleSession, Session};

/// The read set of a batch of actions.
#[derive(Debug, Default)]
pub struct ReadSet {
    /// Requests by id.
    pub requests: BTreeSet<Uuid>,
    /// People by id.
    pub people: BTreeSet<Uuid>,
    /// Places by id.
    pub places: BTreeSet<Uuid>,
    /// Guests by id.
    pub guests: BTreeSet<Uuid>,
    /// Stays by id.
    pub stays: BTreeSet<Uuid>,
    /// Places whose current stays are read.
    pub stays_at: BTreeSet<Uuid>,
    /// Buttons by id.
    pub buttons: BTreeSet<Uuid>,
    /// Buttons by device id, with their place, its current stays, and the open requests there.
    pub devices: BTreeSet<String>,
    /// Those of the devices whose message may repeat an earlier one: then the requests that it may have created are
    /// read, whatever the site's window is.
    pub echoes: BTreeSet<String>,
    /// Kinds of presses by device id: a press that toggles something at the place locks the place.
    pub pressed: Vec<(String, PressKind, ButtonKey)>,
    /// Presses that may be recorded already, as device id and press key.
    pub presses: Vec<(String, String)>,
    /// Devices whose newest voice request since a time is read.
    pub voice_of: Vec<(String, Timestamp)>,
    /// People whose accepted requests are read.
    pub held_by: BTreeSet<Uuid>,
    /// Calls by id.
    pub calls: BTreeSet<Uuid>,
    /// People whose live calls are read.
    pub calls_of: BTreeSet<Uuid>,
    /// People whose reachability by a call is read.
    pub reachable: BTreeSet<PersonId>,
    /// People whose live sessions are read.
    pub sessions_of: BTreeSet<PersonId>,
    /// People whose secret's hash is read.
    pub secrets_of: BTreeSet<Uuid>,
    /// Whether all live sessions are read, with the count of their unused days.
    pub idle_sessions: bool,
}

/// Entities of one type by id, with the set of changed ones.
#[derive(Debug)]
pub struct EntityMap<T> {
    rows: BTreeMap<Uuid, T>,
    changed: BTreeSet<Uuid>,
}

impl<T> Default for EntityMap<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<T> EntityMap<T> {
    /// Returns one entity.
    pub fn get(&self, id: impl Into<Uuid>) -> Option<&T> {
        self.rows.get(&id.into())
    }

    /// Returns all that were loaded.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    pub(super) fn load(&mut self, rows: impl IntoIterator<Item = T>, id: impl Fn(&T) -> Uuid) {
        for row in rows {
            self.rows.entry(id(&row)).or_insert(row);
        }
    }

    /// Stores an entity's new state, marks it as changed, and returns the previous state.
    pub(super) fn put(&mut self, id: Uuid, row: T) -> Option<T> {
        self.changed.insert(id);
        self.rows.insert(id, row)
    }

    /// Stores an entity's new state without marking it as changed; the caller takes care of saving it.
    pub(super) fn replace(&mut self, id: Uuid, row: T) {
        self.rows.insert(id, row);
    }

    pub(super) fn changed(&self) -> Vec<&T> {
        self.changed.iter().filter_map(|id| self.rows.get(id)).collect()
    }
}

/// The unit of work of a batch of actions.
#[derive(Debug)]
pub struct UnitOfWork {
    /// The site.
    pub site: Site,
    pub(super) site_changed: bool,
    /// Requests.
    pub requests: EntityMap<Request>,
    /// Buttons.
    pub buttons: EntityMap<KnownButton>,
    /// Buttons' ids by device id.
    devices: BTreeMap<String, Uuid>,
    /// Places.
    pub places: EntityMap<Place>,
    /// People.
    pub people: EntityMap<Person>,
    /// Guests.
    pub guests: EntityMap<Guest>,
    /// Stays.
    pub stays: EntityMap<Stay>,
    /// Calls.
    pub calls: EntityMap<Call>,
    /// Those of the people in the read set whom a call would reach, as of the beginning of the batch.
    pub(super) reachable: BTreeSet<PersonId>,
    /// Number of unassigned buttons; counted only if a device was unknown.
    pub new_buttons: NewButtons,
    /// Presses recorded already.
    pub(super) presses: BTreeMap<(ButtonId, String), RecordedPress>,
    /// Live sessions of the people in the read set.
    pub sessions: Vec<Session>,
    /// Hashes of the secrets in the read set.
    pub(super) secrets: BTreeMap<Uuid, Option<String>>,
    /// All live sessions, if they are in the read set.
    pub(super) idle_sessions: Vec<IdleSession>,
    /// Buttons whose dedup state changed but that get no log entry.
    pub(super) remembered: BTreeSet<Uuid>,
}

impl UnitOfWork {
    /// Creates a unit of work with only the site loaded.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            site_changed: false,
            requests: EntityMap::default(),
            buttons: EntityMap::default(),
            devices: BTreeMap::new(),
            places: EntityMap::default(),
            people: EntityMap::default(),
            guests: EntityMap::default(),
            stays: EntityMap::default(),
            calls: EntityMap::default(),
            reachable: BTreeSet::new(),
            new_buttons: NewButtons::default(),
            presses: BTreeMap::new(),
            sessions: Vec::new(),
            secrets: BTreeMap::new(),
            idle_sessions: Vec::new(),
            remembered: BTreeSet::new(),
        }
    }

    /// Returns a button by its device id, with what the log doesn't carry.
    pub fn known(&self, device: &str) -> Option<&KnownButton> {
        self.devices.get(device).and_then(|id| self.buttons.get(*id))
    }

    /// Returns a device's name in the log: its own, its place's, or its device id.
    pub(super) fn called<'a>(&'a self, device: &'a str) -> &'a str {
        let Some(KnownButton { button, .. }) = self.known(device) else { return device };
        let place = || button.place_id.and_then(|id| self.places.get(id.0)).map(|place| place.name.as_str());
        button.name.as_deref().or_else(place).unwrap_or(device)
    }

    /// Loads buttons, indexed also by device id.
    pub(super) fn load_buttons(&mut self, known: impl IntoIterator<Item = KnownButton>) {
        for known in known {
            self.devices.insert(known.button.device.clone(), known.button.id.0);
            self.buttons.load([known], |known| known.button.id.0);
        }
    }

    /// Indexes a button by its device id.
    pub(super) fn name_device(&mut self, button: &Button) {
        if !self.devices.contains_key(&button.device) {
            self.devices.insert(button.device.clone(), button.id.0);
        }
    }

    /// Returns the hash of a person's secret, if there is one.
    pub fn secret_of(&self, person: PersonId) -> Option<&String> {
        self.secrets.get(&person.0).and_then(Option::as_ref)
    }

    /// Returns the loaded requests that a person has accepted.
    pub fn held_by(&self, person: PersonId) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(move |request| request.holder().is_some_and(|holder| holder.id == person))
    }

    /// Returns the loaded open and accepted requests of a place.
    pub fn live_at(&self, place: PlaceId) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(move |request| request.place_id == place && !request.state.is_closed())
    }

    /// Returns a press that is recorded already.
    pub fn recorded(&self, button: ButtonId, key: &str) -> Option<RecordedPress> {
        self.presses.get(&(button, key.to_owned())).copied()
    }
}

impl StateView for UnitOfWork {
    fn site(&self) -> &Site {
        &self.site
    }

    fn request(&self, id: RequestId) -> Option<&Request> {
        self.requests.get(id.0)
    }

    fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.get(id.0)
    }

    fn place(&self, id: PlaceId) -> Option<&Place> {
        self.places.get(id.0)
    }

    fn guest(&self, id: GuestId) -> Option<&Guest> {
        self.guests.get(id.0)
    }

    fn stay(&self, id: StayId) -> Option<&Stay> {
        self.stays.get(id.0)
    }

    fn call(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id.0)
    }

    fn live_call_of(&self, person: PersonId) -> Option<&Call> {
        self.calls.iter().find(|call| call.is_live() && call.is_party(person))
    }

    fn is_reachable(&self, person: PersonId) -> bool {
        self.reachable.contains(&person)
    }

    fn button(&self, id: ButtonId) -> Option<&Button> {
        self.buttons.get(id.0).map(|known| &known.button)
    }

    fn device(&self, device: &str) -> Option<&Button> {
        self.known(device).map(|known| &known.button)
    }

    fn guest_in(&self, place: PlaceId) -> Option<GuestId> {
        longest_in(place, self.stays.iter())
    }

    fn others_stay_in(&self, place: PlaceId, beside: StayId) -> bool {
        others_stay_in(place, beside, self.stays.iter())
    }
}
