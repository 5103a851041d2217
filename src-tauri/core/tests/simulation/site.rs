//! The simulated site: one deck, two cabins, four crew members.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_core::store::EntityKey;
use crewbell_shared::call::Call;
use crewbell_shared::ids::{PersonId, PlaceId, SiteId};
use crewbell_shared::person::{Person, Role};
use crewbell_shared::place::{Place, PlaceKind};
use crewbell_shared::protocol::{Entity, EntityType};
use crewbell_shared::request::Request;
use crewbell_shared::rules::StateView;
use crewbell_shared::site::{Site, SiteSettings};
use crewbell_shared::testing::person;
use uuid::Uuid;

use super::world::{as_call, as_request};

/// The entities of a site, as seen by the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entities {
    pub entities: BTreeMap<EntityKey, Entity>,
    site: Option<Site>,
    /// The people with a socket.
    pub there: BTreeSet<PersonId>,
}

pub fn crew() -> Vec<Person> {
    vec![
        person(1, "Siri", Role::Crew),
        person(2, "Sam", Role::Crew),
        person(3, "Dana", Role::Dispatcher),
        person(4, "Tom", Role::Technician),
    ]
}

pub fn places() -> Vec<Place> {
    let place = |id: u128, name: &str| Place {
        id: PlaceId(Uuid::from_u128(id)),
        parent_id: None,
        name: name.to_owned(),
        kind: PlaceKind::Cabin,
        position: 0,
        do_not_disturb: false,
    };
    vec![place(101, "Cabin 1"), place(102, "Cabin 2")]
}

impl Entities {
    /// Returns the initial site.
    pub fn new() -> Self {
        let id = SiteId(Uuid::from_u128(9));
        let (slug, name) = ("serenity".to_owned(), "MY Serenity".to_owned());
        let mut entities = Self::default();
        entities
            .put(Site { id, slug, name, settings: SiteSettings { ring_time_s: 20, ..SiteSettings::default() } }.into());
        for person in crew() {
            entities.put(person.into());
        }
        for place in places() {
            entities.put(place.into());
        }
        entities
    }

    pub fn put(&mut self, entity: Entity) {
        if let Entity::Site(site) = &entity {
            self.site = Some(site.clone());
        }
        self.entities.insert(EntityKey::of(&entity), entity);
    }

    /// Returns all calls.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.entities.range(EntityKey::first_of(EntityType::Call)..).map_while(|(_, entity)| as_call(entity))
    }

    /// Returns all requests.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.entities.values().filter_map(as_request)
    }

    /// Returns all people.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.entities
            .values()
            .filter_map(|entity| if let Entity::Person(person) = entity { Some(person) } else { None })
    }
}

impl StateView for Entities {
    fn site(&self) -> &Site {
        self.site.as_ref().unwrap()
    }

    fn entity(&self, key: EntityKey) -> Option<&Entity> {
        self.entities.get(&key)
    }

    fn all(&self, entity_type: EntityType) -> Box<dyn Iterator<Item = &Entity> + '_> {
        Box::new(self.entities.values().filter(move |entity| entity.entity_type() == entity_type))
    }

    fn is_reachable(&self, person: PersonId) -> bool {
        self.there.contains(&person)
    }
}
