//! Guests grouped by deck, and which places are free.

use std::collections::BTreeMap;

use crewbell_shared::guest::{Guest, Stay};
use crewbell_shared::ids::{GuestId, PlaceId, StayId};
use crewbell_shared::place::{Place, PlaceKind};

use crate::locales::search::is_found;
use crate::state::DEEPEST;

/// The location of a group of guests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Heading {
    /// A deck, by name.
    Deck(String),
    /// Places that are on no deck.
    Elsewhere,
    /// No place: not checked in yet, or checked out.
    WithoutPlace,
}

/// The guests under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The heading.
    pub heading: Heading,
    /// The guests, in the order of their places.
    pub lines: Vec<Line>,
}

/// A guest in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Line {
    /// The guest.
    pub guest_id: GuestId,
    /// The current stay, or else the last one.
    pub stay_id: Option<StayId>,
    /// Whether it is current.
    pub stays: bool,
}

/// A place that guests can stay in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The place.
    pub place_id: PlaceId,
    /// The name of the place.
    pub name: String,
    /// The names of the guests who stay there.
    pub taken_by: Vec<String>,
}

/// The guests, stays and places of a site.
#[derive(Clone, Debug, Default)]
pub struct House {
    /// The guests.
    pub guests: Vec<Guest>,
    /// The stays, including ended ones.
    pub stays: Vec<Stay>,
    /// The places.
    pub places: Vec<Place>,
}

impl House {
    /// The guests grouped by location, filtered by a search in names, notes and places.
    pub fn groups(&self, sought: &str) -> Vec<Group> {
        let places: BTreeMap<PlaceId, &Place> = self.places.iter().map(|place| (place.id, place)).collect();
        let stays = self.last_stays();
        let mut found: Vec<(Order<'_>, Heading, Line)> = Vec::new();
        for guest in &self.guests {
            let stay = stays.get(&guest.id).copied();
            let current = stay.filter(|stay| stay.checked_out_at.is_none());
            let place = current.and_then(|stay| places.get(&stay.place_id).copied());
            let place_name = place.map_or("", |place| &place.name);
            if !is_found(sought, &[&guest.name, &guest.notes, place_name]) {
                continue;
            }
            let deck = place.and_then(|place| deck_of(place, &places));
            let heading = match (current, deck) {
                (None, _) => Heading::WithoutPlace,
                (Some(_), Some(deck)) => Heading::Deck(deck.name.clone()),
                (Some(_), None) => Heading::Elsewhere,
            };
            let line = Line { guest_id: guest.id, stay_id: stay.map(|stay| stay.id), stays: current.is_some() };
            found.push((Order::of(current, deck, place, guest), heading, line));
        }
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let mut groups: Vec<Group> = Vec::new();
        for (_, heading, line) in found {
            match groups.last_mut() {
                Some(group) if group.heading == heading => group.lines.push(line),
                _ => groups.push(Group { heading, lines: vec![line] }),
            }
        }
        groups
    }

    /// The cabins by deck, with their guests, filtered by a search.
    pub fn rooms(&self, sought: &str, only_free: bool) -> Vec<(Heading, Vec<Room>)> {
        let places: BTreeMap<PlaceId, &Place> = self.places.iter().map(|place| (place.id, place)).collect();
        let names: BTreeMap<GuestId, &str> = self.guests.iter().map(|guest| (guest.id, guest.name.as_str())).collect();
        let mut taken: BTreeMap<PlaceId, Vec<String>> = BTreeMap::new();
        for stay in self.stays.iter().filter(|stay| stay.checked_out_at.is_none()) {
            let name = names.get(&stay.guest_id).copied().unwrap_or_default();
            taken.entry(stay.place_id).or_default().push(name.to_owned());
        }
        let mut cabins: Vec<(Option<&Place>, &Place)> = self
            .places
            .iter()
            .filter(|place| place.kind == PlaceKind::Cabin)
            .map(|place| (deck_of(place, &places), place))
            .collect();
        cabins.sort_by_key(|(deck, place)| (by_position(*deck), by_position(Some(*place))));
        let mut rooms: Vec<(Heading, Vec<Room>)> = Vec::new();
        for (deck, place) in cabins {
            let taken_by = taken.remove(&place.id).unwrap_or_default();
            let deck_name = deck.map_or("", |deck| &deck.name);
            if (only_free && !taken_by.is_empty()) || !is_found(sought, &[&place.name, deck_name]) {
                continue;
            }
            let heading = deck.map_or(Heading::Elsewhere, |deck| Heading::Deck(deck.name.clone()));
            let room = Room { place_id: place.id, name: place.name.clone(), taken_by };
            match rooms.last_mut() {
                Some((last, rooms)) if *last == heading => rooms.push(room),
                _ => rooms.push((heading, vec![room])),
            }
        }
        rooms
    }

    /// The current stay of each guest, or else the last one that ended.
    fn last_stays(&self) -> BTreeMap<GuestId, &Stay> {
        let mut last: BTreeMap<GuestId, &Stay> = BTreeMap::new();
        for stay in &self.stays {
            let before = last.entry(stay.guest_id).or_insert(stay);
            if lateness(stay) > lateness(before) {
                *before = stay;
            }
        }
        last
    }
}

fn lateness(stay: &Stay) -> impl Ord {
    (stay.checked_out_at.is_none(), stay.checked_in_at, stay.id)
}

/// The sort key of guests: decks in their order, then places on no deck, then guests without a place, by name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Order<'a> {
    nowhere: bool,
    deck: (bool, i32, &'a str),
    place: (bool, i32, &'a str),
    since: Option<jiff::Timestamp>,
    name: &'a str,
}

impl<'a> Order<'a> {
    fn of(stay: Option<&Stay>, deck: Option<&'a Place>, place: Option<&'a Place>, guest: &'a Guest) -> Self {
        Self {
            nowhere: stay.is_none(),
            deck: by_position(deck),
            place: by_position(place),
            since: stay.map(|stay| stay.checked_in_at),
            name: &guest.name,
        }
    }
}

fn by_position(place: Option<&Place>) -> (bool, i32, &str) {
    place.map_or((true, 0, ""), |place| (false, place.position, &place.name))
}

fn deck_of<'a>(place: &'a Place, places: &BTreeMap<PlaceId, &'a Place>) -> Option<&'a Place> {
    let above = |place: &&'a Place| place.parent_id.and_then(|id| places.get(&id).copied());
    std::iter::successors(Some(place), above).take(DEEPEST).find(|place| place.kind == PlaceKind::Deck)
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{at, cabin, deck, gus, id, saloon, stay};

    use super::*;

    fn guest(number: u128, name: &str) -> Guest {
        Guest { id: id(number), name: name.into(), notes: String::new() }
    }

    /// Test data: Gus in cabin 5; Ann came to cabin 5 after him; Zoe left the saloon; Bo is new.
    fn house() -> House {
        let ann = Stay { id: id(171), guest_id: id(161), checked_in_at: at(9), ..stay() };
        let zoe = Stay { id: id(172), guest_id: id(162), place_id: saloon().id, checked_out_at: Some(at(8)), ..stay() };
        House {
            guests: vec![guest(163, "Bo"), guest(162, "Zoe"), guest(161, "Ann"), gus()],
            stays: vec![ann, zoe, stay()],
            places: vec![cabin(), saloon(), deck()],
        }
    }

    fn told(house: &House, sought: &str) -> Vec<(Heading, Vec<GuestId>)> {
        let groups = house.groups(sought).into_iter();
        groups.map(|group| (group.heading, group.lines.iter().map(|line| line.guest_id).collect())).collect()
    }

    #[test]
    fn guests_stand_under_their_deck_and_those_without_a_place_at_the_end() {
        let on_deck = (Heading::Deck(deck().name), vec![gus().id, id(161)]);
        assert_eq!(told(&house(), ""), [on_deck, (Heading::WithoutPlace, vec![id(163), id(162)])]);
    }

    #[test]
    fn a_guest_is_found_by_name_place_and_notes() {
        let mut house = house();
        house.guests[0].notes = "No nuts".into();
        assert_eq!(told(&house, "nuts"), [(Heading::WithoutPlace, vec![id(163)])]);
        assert_eq!(told(&house, &cabin().name).len(), 1);
        assert!(told(&house, "nobody").is_empty());
    }

    #[test]
    fn who_left_is_shown_with_the_stay_that_ended_last_and_who_came_back_with_the_new_one() {
        let mut house = house();
        let line = |house: &House| house.groups("zoe")[0].lines[0];
        assert_eq!((line(&house).stay_id, line(&house).stays), (Some(id(172)), false));
        house.stays.push(Stay { id: id(173), guest_id: id(162), checked_in_at: at(5), ..stay() });
        assert_eq!((line(&house).stay_id, line(&house).stays), (Some(id(173)), true));
    }

    #[test]
    fn a_cabin_says_who_stays_there_and_a_saloon_is_no_room() {
        let mut house = house();
        let room = Room { place_id: cabin().id, name: cabin().name, taken_by: vec!["Ann".into(), gus().name] };
        assert_eq!(house.rooms("", false), [(Heading::Deck(deck().name), vec![room])]);
        assert!(house.rooms("", true).is_empty());
        house.stays.clear();
        assert_eq!(house.rooms("", true)[0].1[0].taken_by, Vec::<String>::new());
    }

    #[test]
    fn a_ring_of_places_has_no_deck() {
        let ring = Place { parent_id: Some(cabin().id), ..cabin() };
        let house = House { places: vec![ring], ..house() };
        assert_eq!(house.rooms("", false)[0].0, Heading::Elsewhere);
    }
}
