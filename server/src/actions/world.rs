//! What a batch of actions sees of the site: locked, loaded once, and changed in memory as they decide.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_shared::Refusal;
use crewbell_shared::guest::{Guest, Stay};
use crewbell_shared::ids::{ButtonId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crewbell_shared::person::Person;
use crewbell_shared::place::Place;
use crewbell_shared::request::{Request, State};
use crewbell_shared::site::Site;
use jiff::Timestamp;
use uuid::Uuid;

use crate::db::buttons::KnownButton;
use crate::db::sessions::Session;

/// What actions ask to see.
#[derive(Debug, Default)]
pub struct Wants {
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
    /// Places whose current stays are wanted.
    pub stays_at: BTreeSet<Uuid>,
    /// Buttons by id.
    pub buttons: BTreeSet<Uuid>,
    /// Buttons by their id on the wire, with their place, who stays there, and the open requests there.
    pub devices: BTreeSet<String>,
    /// Presses that may be recorded already: a button's id on the wire, and the key.
    pub presses: Vec<(String, String)>,
    /// The newest voice request of a button since a time.
    pub voice_of: Vec<(String, Timestamp)>,
    /// People whose live sessions are wanted.
    pub sessions_of: BTreeSet<PersonId>,
}

/// Nouns of one sort, by id, with those that changed.
#[derive(Debug)]
pub struct Shelf<T> {
    rows: BTreeMap<Uuid, T>,
    changed: BTreeSet<Uuid>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<T> Shelf<T> {
    /// One noun.
    pub fn get(&self, id: impl Into<Uuid>) -> Option<&T> {
        self.rows.get(&id.into())
    }

    /// All that were loaded.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    pub(super) fn load(&mut self, rows: impl IntoIterator<Item = T>, id: impl Fn(&T) -> Uuid) {
        for row in rows {
            self.rows.entry(id(&row)).or_insert(row);
        }
    }

    /// Puts a noun as it is now, to be stored; gives back how it was.
    pub(super) fn put(&mut self, id: Uuid, row: T) -> Option<T> {
        self.changed.insert(id);
        self.rows.insert(id, row)
    }

    /// Puts a noun as it is now; whoever does so sees to the storing.
    pub(super) fn replace(&mut self, id: Uuid, row: T) {
        self.rows.insert(id, row);
    }

    pub(super) fn changed(&self) -> Vec<&T> {
        self.changed.iter().filter_map(|id| self.rows.get(id)).collect()
    }
}

/// What a batch of actions sees.
#[derive(Debug)]
pub struct World {
    /// The site.
    pub site: Site,
    pub(super) site_changed: bool,
    /// Requests.
    pub requests: Shelf<Request>,
    /// Buttons.
    pub buttons: Shelf<KnownButton>,
    /// Their ids by their id on the wire.
    devices: BTreeMap<String, Uuid>,
    /// Places.
    pub places: Shelf<Place>,
    /// People.
    pub people: Shelf<Person>,
    /// Guests.
    pub guests: Shelf<Guest>,
    /// Stays.
    pub stays: Shelf<Stay>,
    /// Buttons that wait to be assigned; counted only when a device was unknown.
    pub new_buttons: i64,
    /// Presses that are recorded already, with their request.
    pub(super) presses: BTreeMap<(ButtonId, String), Option<RequestId>>,
    /// Live sessions of the people that were asked for.
    pub sessions: Vec<Session>,
    /// Buttons of which the log isn't told: only their memory is stored.
    pub(super) remembered: BTreeSet<Uuid>,
}

impl World {
    /// A world with the site and nothing else in it.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            site_changed: false,
            requests: Shelf::default(),
            buttons: Shelf::default(),
            devices: BTreeMap::new(),
            places: Shelf::default(),
            people: Shelf::default(),
            guests: Shelf::default(),
            stays: Shelf::default(),
            new_buttons: 0,
            presses: BTreeMap::new(),
            sessions: Vec::new(),
            remembered: BTreeSet::new(),
        }
    }

    /// A request, or "there is no such request".
    pub fn request(&self, id: RequestId) -> Result<&Request, Refusal> {
        self.requests.get(id.0).ok_or_else(|| Refusal::not_found("request"))
    }

    /// A person, or "there is no such person".
    pub fn person(&self, id: PersonId) -> Result<&Person, Refusal> {
        self.people.get(id.0).ok_or_else(|| Refusal::not_found("person"))
    }

    /// A place, or "there is no such place".
    pub fn place(&self, id: PlaceId) -> Result<&Place, Refusal> {
        self.places.get(id.0).ok_or_else(|| Refusal::not_found("place"))
    }

    /// A guest, or "there is no such guest".
    pub fn guest(&self, id: GuestId) -> Result<&Guest, Refusal> {
        self.guests.get(id.0).ok_or_else(|| Refusal::not_found("guest"))
    }

    /// A stay, or "there is no such stay".
    pub fn stay(&self, id: StayId) -> Result<&Stay, Refusal> {
        self.stays.get(id.0).ok_or_else(|| Refusal::not_found("stay"))
    }

    /// A button, or "there is no such button".
    pub fn button(&self, id: ButtonId) -> Result<&KnownButton, Refusal> {
        self.buttons.get(id.0).ok_or_else(|| Refusal::not_found("button"))
    }

    /// A button by its id on the wire.
    pub fn device(&self, device: &str) -> Option<&KnownButton> {
        self.devices.get(device).and_then(|id| self.buttons.get(*id))
    }

    /// How a device is called in the log: by its own name, by its place's, or as on the wire when it has neither.
    pub(super) fn called<'a>(&'a self, device: &'a str) -> &'a str {
        let Some(KnownButton { button, .. }) = self.device(device) else { return device };
        let place = || button.place_id.and_then(|id| self.places.get(id.0)).map(|place| place.name.as_str());
        button.name.as_deref().or_else(place).unwrap_or(device)
    }

    /// Puts a button on its shelf, also under its id on the wire.
    pub(super) fn load_buttons(&mut self, known: impl IntoIterator<Item = KnownButton>) {
        for known in known {
            self.devices.insert(known.button.device.clone(), known.button.id.0);
            self.buttons.load([known], |known| known.button.id.0);
        }
    }

    /// Makes a button known under its id on the wire.
    pub(super) fn name_device(&mut self, button: &crewbell_shared::button::Button) {
        if !self.devices.contains_key(&button.device) {
            self.devices.insert(button.device.clone(), button.id.0);
        }
    }

    /// Who stays in a place: the one who has been there longest.
    pub fn guest_in(&self, place: PlaceId) -> Option<GuestId> {
        let current = self.stays.iter().filter(|stay| stay.place_id == place && stay.checked_out_at.is_none());
        current.min_by_key(|stay| (stay.checked_in_at, stay.id)).map(|stay| stay.guest_id)
    }

    /// The open requests of a place.
    pub fn open_at(&self, place: PlaceId) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(move |request| request.place_id == place && request.state == State::Open)
    }

    /// The request of a press that is recorded already: `None` when it isn't.
    pub fn recorded(&self, button: ButtonId, key: &str) -> Option<Option<RequestId>> {
        self.presses.get(&(button, key.to_owned())).copied()
    }
}
