//! The simulated site: one deck, two cabins, four crew members.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_core::store::EntityKey;
use crewbell_shared::button::Button;
use crewbell_shared::call::Call;
use crewbell_shared::guest::{Guest, Stay};
use crewbell_shared::ids::{ButtonId, CallId, GuestId, PersonId, PlaceId, RequestId, SiteId, StayId};
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
pub struct Nouns {
    pub nouns: BTreeMap<EntityKey, Entity>,
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

impl Nouns {
    /// Returns the initial site.
    pub fn new() -> Self {
        let id = SiteId(Uuid::from_u128(9));
        let (slug, name) = ("serenity".to_owned(), "MY Serenity".to_owned());
        let mut nouns = Self::default();
        nouns
            .put(Site { id, slug, name, settings: SiteSettings { ring_time_s: 20, ..SiteSettings::default() } }.into());
        for person in crew() {
            nouns.put(person.into());
        }
        for place in places() {
            nouns.put(place.into());
        }
        nouns
    }

    pub fn put(&mut self, noun: Entity) {
        if let Entity::Site(site) = &noun {
            self.site = Some(site.clone());
        }
        self.nouns.insert(EntityKey::of(&noun), noun);
    }

    /// Returns all calls.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.nouns.range(EntityKey::new(EntityType::Call, Uuid::nil())..).map_while(|(_, noun)| as_call(noun))
    }

    /// Returns all requests.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.nouns.values().filter_map(as_request)
    }

    /// Returns all people.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.nouns.values().filter_map(|noun| if let Entity::Person(person) = noun { Some(person) } else { None })
    }

    fn get(&self, entity_type: EntityType, id: Uuid) -> Option<&Entity> {
        self.nouns.get(&EntityKey { entity_type, id })
    }
}

macro_rules! sights {
    ($($name:ident($id:ident) -> $noun:ident),+ $(,)?) => {$(
        fn $name(&self, id: $id) -> Option<&$noun> {
            match self.get(EntityType::$noun, id.0) {
                Some(Entity::$noun(noun)) => Some(noun),
                _ => None,
            }
        }
    )+};
}

impl StateView for Nouns {
    fn site(&self) -> &Site {
        self.site.as_ref().unwrap()
    }

    sights! {
        request(RequestId) -> Request,
        person(PersonId) -> Person,
        place(PlaceId) -> Place,
        guest(GuestId) -> Guest,
        stay(StayId) -> Stay,
        button(ButtonId) -> Button,
        call(CallId) -> Call,
    }

    fn live_call_of(&self, person: PersonId) -> Option<&Call> {
        self.calls().find(|call| call.is_live() && call.is_party(person))
    }

    fn is_reachable(&self, person: PersonId) -> bool {
        self.there.contains(&person)
    }

    fn device(&self, _: &str) -> Option<&Button> {
        None
    }

    fn guest_in(&self, _: PlaceId) -> Option<GuestId> {
        None
    }

    fn others_stay_in(&self, _: PlaceId, _: StayId) -> bool {
        false
    }
}
