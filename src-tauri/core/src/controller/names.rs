//! Display names of entities.

use std::collections::BTreeMap;

use crewbell_shared::protocol::{Entity, EntityType};

use crate::store::{EntityKey, Image};

/// Display names of a device's entities, by key.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<EntityKey, String>);

impl Names {
    pub fn of(image: &Image) -> Self {
        let mut names: BTreeMap<EntityKey, String> = BTreeMap::new();
        for (key, kept) in &image.entities {
            names.extend(own_name(&kept.entity).map(|name| (*key, name)));
        }
        // A stay has its guest's name.
        for (key, kept) in &image.entities {
            if let Entity::Stay(stay) = kept.entity.as_ref() {
                let guest = names.get(&EntityKey::new(EntityType::Guest, stay.guest_id.0)).cloned();
                names.extend(guest.map(|name| (*key, name)));
            }
        }
        Self(names)
    }

    /// Returns an entity's name.
    pub fn get(&self, key: &EntityKey) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Returns an entity's name; its type and id if the name is unknown.
    pub fn name(&self, entity_type: EntityType, id: uuid::Uuid) -> String {
        self.get(&EntityKey::new(entity_type, id))
            .map_or_else(|| format!("{} {id}", entity_type.as_str()), str::to_owned)
    }
}

/// Returns the name that an entity itself contains.
pub(super) fn own_name(entity: &Entity) -> Option<String> {
    match entity {
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
