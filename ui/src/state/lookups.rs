//! What is asked of the store again and again: names, decks, who stays where, who is there.

use crewbell_shared::guest::longest_in;
use crewbell_shared::ids::{GuestId, PersonId, PlaceId};
use crewbell_shared::place::{Place, PlaceKind};
use leptos::prelude::*;

use super::State;

impl State {
    /// A place's name; empty while it isn't known.
    pub fn place_name(self, id: PlaceId) -> String {
        self.places.get(id).map(|place| place.noun.name).unwrap_or_default()
    }

    /// The deck that a place is on: the nearest above it, or itself.
    pub fn deck_of(self, id: PlaceId) -> Option<Place> {
        let mut next = Some(id);
        // A tree of places is not deep; a ring in it would be.
        for _ in 0..16 {
            let place = self.places.get(next?)?.noun;
            if place.kind == PlaceKind::Deck {
                return Some(place);
            }
            next = place.parent_id;
        }
        None
    }

    /// The decks, in their order.
    pub fn decks(self) -> Vec<Place> {
        self.places_of(None, |place| place.kind == PlaceKind::Deck)
    }

    /// The places right under another (or any, for none) that are wanted, in the order that people gave them.
    pub fn places_of(self, parent: Option<PlaceId>, wanted: impl Fn(&Place) -> bool) -> Vec<Place> {
        let is = |place: &Place| (parent.is_none() || place.parent_id == parent) && wanted(place);
        let mut places = self.places.list(|item| is(&item.noun).then(|| item.noun.clone()));
        places.sort_by(|a, b| (a.position, &a.name).cmp(&(b.position, &b.name)));
        places
    }

    /// A guest's name.
    pub fn guest_name(self, id: GuestId) -> Option<String> {
        self.guests.get(id).map(|guest| guest.noun.name)
    }

    /// Who stays in a place: as the rules say, the one who has been there longest.
    pub fn guest_in(self, place: PlaceId) -> Option<GuestId> {
        let stays = self.stays.list(|item| (item.noun.place_id == place).then(|| item.noun.clone()));
        longest_in(place, &stays)
    }

    /// How many devices a person has open, and how many of them can sound.
    pub fn devices_of(self, id: PersonId) -> (u32, u32) {
        self.present.with(|present| {
            let there = present.iter().find(|presence| presence.person_id == id);
            there.map_or((0, 0), |presence| (presence.devices, presence.sounding))
        })
    }
}
