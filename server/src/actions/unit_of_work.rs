//! Unit of work: the part of the site that a batch of actions reads, locked, loaded once, and changed in memory as they
//! decide.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_shared::Registered;
use crewbell_shared::button::{ButtonKey, PressKind};
use crewbell_shared::ids::{ButtonId, PersonId, PlaceId};
use crewbell_shared::protocol::{Entity, EntityKey, EntityType};
use crewbell_shared::request::Request;
use crewbell_shared::rules::{Lookup, Query, StateView};
use crewbell_shared::site::Site;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::db::buttons::{KnownButton, NewButtons};
use crate::db::presses::RecordedPress;
use crate::db::sessions::{IdleSession, Session};

/// The read set of a batch of actions.
#[derive(Debug, Default)]
pub struct ReadSet {
    /// Entities by id.
    pub(super) entities: BTreeSet<EntityKey>,
    /// Places whose current stays are read.
    pub(super) stays_at: BTreeSet<Uuid>,
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

impl ReadSet {
    /// Adds an entity.
    pub fn entity(&mut self, key: impl Into<EntityKey>) {
        self.entities.insert(key.into());
    }

    /// Adds what a query of a rule asks for.
    pub fn query(&mut self, query: Query) {
        match query {
            Query::StaysAt(place) => drop(self.stays_at.insert(place.0)),
            Query::HeldBy(person) => drop(self.held_by.insert(person.0)),
            Query::LiveCallsOf(person) => drop(self.calls_of.insert(person.0)),
            Query::Reachable(person) => drop(self.reachable.insert(person)),
            Query::Device(device) => drop(self.devices.insert(device)),
        }
    }

    /// Returns the ids of the entities of a type, in order.
    pub(super) fn ids(&self, entity_type: EntityType) -> BTreeSet<Uuid> {
        let from = self.entities.range(EntityKey::first_of(entity_type)..);
        from.take_while(|key| key.entity_type == entity_type).map(|key| key.id).collect()
    }
}

/// What the log doesn't carry of a button.
#[derive(Clone, Debug, Default)]
struct Unlogged {
    memory: Value,
    seen_at: Option<Timestamp>,
    found_via: Option<String>,
}

/// The unit of work of a batch of actions.
#[derive(Debug)]
pub struct UnitOfWork {
    /// The site.
    pub site: Site,
    pub(super) site_changed: bool,
    /// The entities that were loaded or changed, but the site.
    entities: BTreeMap<EntityKey, Entity>,
    changed: BTreeSet<EntityKey>,
    /// Of the buttons, what the log doesn't carry.
    unlogged: BTreeMap<Uuid, Unlogged>,
    /// Buttons' ids by device id.
    devices: BTreeMap<String, ButtonId>,
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
    remembered: BTreeSet<ButtonId>,
}

impl UnitOfWork {
    /// Creates a unit of work with only the site loaded.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            site_changed: false,
            entities: BTreeMap::new(),
            changed: BTreeSet::new(),
            unlogged: BTreeMap::new(),
            devices: BTreeMap::new(),
            reachable: BTreeSet::new(),
            new_buttons: NewButtons::default(),
            presses: BTreeMap::new(),
            sessions: Vec::new(),
            secrets: BTreeMap::new(),
            idle_sessions: Vec::new(),
            remembered: BTreeSet::new(),
        }
    }

    /// Loads entities; one that is loaded already keeps its state.
    pub(super) fn load(&mut self, entities: impl IntoIterator<Item = impl Into<Entity>>) {
        for entity in entities {
            let entity = entity.into();
            self.entities.entry(EntityKey::of(&entity)).or_insert(entity);
        }
    }

    /// Loads buttons, with what the log doesn't carry.
    pub(super) fn load_buttons(&mut self, known: impl IntoIterator<Item = KnownButton>) {
        for KnownButton { button, memory, seen_at, found_via } in known {
            self.unlogged.entry(button.id.0).or_insert(Unlogged { memory, seen_at, found_via });
            self.devices.insert(button.device.clone(), button.id);
            self.load([button]);
        }
    }

    /// Stores an entity's new state, marks it as changed, and returns the previous state.
    pub(super) fn put(&mut self, entity: Entity) -> Option<Entity> {
        if let Entity::Site(site) = entity {
            self.site_changed = true;
            return Some(std::mem::replace(&mut self.site, site).into());
        }
        if let Entity::Button(button) = &entity {
            self.devices.entry(button.device.clone()).or_insert(button.id);
        }
        let key = EntityKey::of(&entity);
        self.changed.insert(key);
        self.entities.insert(key, entity)
    }

    /// Stores a button's new state with what the log doesn't carry. It is marked as changed only if it is `logged`;
    /// else its dedup state alone is saved. Returns the previous state.
    pub(super) fn put_button(&mut self, known: KnownButton, logged: bool) -> Option<Entity> {
        let KnownButton { button, memory, seen_at, found_via } = known;
        self.unlogged.insert(button.id.0, Unlogged { memory, seen_at, found_via });
        if logged {
            return self.put(button.into());
        }
        self.remembered.insert(button.id);
        self.entities.insert(button.id.into(), button.into())
    }

    /// Returns the changed entities of a type, by id.
    pub(super) fn changed<E: Registered>(&self) -> impl Iterator<Item = &E> {
        let from = self.changed.range(EntityKey::first_of(E::TYPE)..).take_while(|key| key.entity_type == E::TYPE);
        from.filter_map(|key| self.entities.get(key)).filter_map(E::of)
    }

    /// Returns a button, with what the log doesn't carry.
    pub(super) fn with_unlogged(&self, id: ButtonId) -> Option<KnownButton> {
        let button = self.get(id)?.clone();
        let Unlogged { memory, seen_at, found_via } = self.unlogged.get(&id.0).cloned().unwrap_or_default();
        Some(KnownButton { button, memory, seen_at, found_via })
    }

    /// Returns the buttons whose dedup state changed but that get no log entry.
    pub(super) fn remembered(&self) -> Vec<KnownButton> {
        self.remembered.iter().filter_map(|id| self.with_unlogged(*id)).collect()
    }

    /// Returns a button by its device id, with what the log doesn't carry.
    pub fn known(&self, device: &str) -> Option<KnownButton> {
        self.devices.get(device).and_then(|id| self.with_unlogged(*id))
    }

    /// Returns a device's name in the log: its own, its place's, or its device id.
    pub(super) fn called<'a>(&'a self, device: &'a str) -> &'a str {
        let Some(button) = self.devices.get(device).and_then(|id| self.get(*id)) else { return device };
        let place = || button.place_id.and_then(|id| self.get(id)).map(|place| place.name.as_str());
        button.name.as_deref().or_else(place).unwrap_or(device)
    }

    /// Returns the hash of a person's secret, if there is one.
    pub fn secret_of(&self, person: PersonId) -> Option<&String> {
        self.secrets.get(&person.0).and_then(Option::as_ref)
    }

    /// Returns the loaded requests that a person has accepted.
    pub fn held_by(&self, person: PersonId) -> impl Iterator<Item = &Request> {
        self.each::<Request>().filter(move |request| request.holder().is_some_and(|holder| holder.id == person))
    }

    /// Returns the loaded open and accepted requests of a place.
    pub fn live_at(&self, place: PlaceId) -> impl Iterator<Item = &Request> {
        self.each::<Request>().filter(move |request| request.place_id == place && !request.state.is_closed())
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

    fn entity(&self, key: EntityKey) -> Option<&Entity> {
        self.entities.get(&key)
    }

    fn all(&self, entity_type: EntityType) -> Box<dyn Iterator<Item = &Entity> + '_> {
        let from = self.entities.range(EntityKey::first_of(entity_type)..);
        Box::new(from.take_while(move |(key, _)| key.entity_type == entity_type).map(|(_, entity)| entity))
    }

    fn is_reachable(&self, person: PersonId) -> bool {
        self.reachable.contains(&person)
    }
}
