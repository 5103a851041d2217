//! What nouns are called, for people.

use std::collections::BTreeMap;

use crewbell_shared::protocol::{Entity, EntityType};

use crate::store::{Image, Key};

/// What the nouns of a device are called.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<Key, String>);

impl Names {
    pub fn of(image: &Image) -> Self {
        let mut names: BTreeMap<Key, String> = BTreeMap::new();
        for (key, kept) in &image.nouns {
            names.extend(own_name(&kept.noun).map(|name| (*key, name)));
        }
        // A stay is called as its guest.
        for (key, kept) in &image.nouns {
            if let Entity::Stay(stay) = kept.noun.as_ref() {
                let guest = names.get(&Key::new(EntityType::Guest, stay.guest_id.0)).cloned();
                names.extend(guest.map(|name| (*key, name)));
            }
        }
        Self(names)
    }

    /// What a noun is called.
    pub fn get(&self, key: &Key) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// What a noun of a sort is called; its id where nobody knows.
    pub fn name(&self, noun: EntityType, id: uuid::Uuid) -> String {
        self.get(&Key::new(noun, id)).map_or_else(|| format!("{} {id}", noun.as_str()), str::to_owned)
    }
}

/// What a noun is called by itself.
pub(super) fn own_name(noun: &Entity) -> Option<String> {
    match noun {
        Entity::Site(site) => Some(site.name.clone()),
        Entity::Person(person) => Some(person.name.clone()),
        Entity::Place(place) => Some(place.name.clone()),
        Entity::Guest(guest) => Some(guest.name.clone()),
        Entity::Button(button) => Some(button.name.clone().unwrap_or_else(|| button.device.clone())),
        Entity::Request(request) => Some(request.place_name.clone()),
        Entity::Call(call) => Some(format!("{} → {}", call.caller.name, call.callee.name)),
        Entity::Stay(_) => None,
    }
}
