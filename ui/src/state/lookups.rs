//! Frequent queries of the store: names, decks, guests of a place, open devices.

use crewbell_shared::guest::longest_in;
use crewbell_shared::ids::{GuestId, PersonId, PlaceId};
use crewbell_shared::place::{Place, PlaceKind};
use leptos::prelude::*;

use super::{AppState, DEEPEST};

impl AppState {
    /// The name of a place; empty if the place is unknown.
    pub fn place_name(self, id: PlaceId) -> String {
        self.places.get(id).map(|place| place.entity.name).unwrap_or_default()
    }

    /// The deck of a place: itself or its nearest ancestor.
    pub fn deck_of(self, id: PlaceId) -> Option<Place> {
        let mut next = Some(id);
        for _ in 0..DEEPEST {
            let place = self.places.get(next?)?.entity;
            if place.kind == PlaceKind::Deck {
                return Some(place);
            }
            next = place.parent_id;
        }
        None
    }

    /// The decks, in display order.
    pub fn decks(self) -> Vec<Place> {
        self.places_of(None, |place| place.kind == PlaceKind::Deck)
    }

    /// The selected children of a place, or all selected places if `parent` is `None`, in display order.
    pub fn places_of(self, parent: Option<PlaceId>, wanted: impl Fn(&Place) -> bool) -> Vec<Place> {
        let is = |place: &Place| (parent.is_none() || place.parent_id == parent) && wanted(place);
        let mut places = self.places.list(|item| is(&item.entity).then(|| item.entity.clone()));
        places.sort_by(|a, b| (a.position, &a.name).cmp(&(b.position, &b.name)));
        places
    }

    /// The name of a guest.
    pub fn guest_name(self, id: GuestId) -> Option<String> {
        self.guests.get(id).map(|guest| guest.entity.name)
    }

    /// The guest of a place. If there are several, it is the one who has stayed longest, as in the rules.
    pub fn guest_in(self, place: PlaceId) -> Option<GuestId> {
        let stays = self.stays.list(|item| (item.entity.place_id == place).then(|| item.entity.clone()));
        longest_in(place, &stays)
    }

    /// The number of devices on which a person has the app open, and of those that can sound.
    pub fn devices_of(self, id: PersonId) -> (u32, u32) {
        self.present.with(|present| {
            let there = present.iter().find(|presence| presence.person_id == id);
            there.map_or((0, 0), |presence| (presence.devices, presence.sounding))
        })
    }
}
