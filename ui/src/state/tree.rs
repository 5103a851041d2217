//! The place tree as shown: grouped by deck, in the order that people set.

use std::collections::BTreeMap;

use crewbell_shared::ids::PlaceId;
use crewbell_shared::place::{Place, PlaceKind};

use super::AppState;

/// A deck with its places, or the places without a deck.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The deck; `None` for places without one.
    pub deck: Option<Place>,
    /// The places on it.
    pub places: Vec<Place>,
}

impl AppState {
    /// All places by deck; subscribes to all of them.
    pub fn places_by_deck(self) -> Vec<Branch> {
        by_deck(&self.places.list(|item| Some(item.entity.clone())))
    }
}

/// Maximum depth of the place tree; it ends the search if the parents form a cycle.
pub const DEEPEST: usize = 16;

/// Sorts places under their nearest deck, in tree order: a cabin's rooms come after the cabin. Places without a deck,
/// or with an unknown one, come last.
pub fn by_deck(places: &[Place]) -> Vec<Branch> {
    let mut sorted: Vec<(Vec<Rank>, Option<PlaceId>, Place)> = {
        let all: BTreeMap<PlaceId, &Place> = places.iter().map(|place| (place.id, place)).collect();
        places.iter().map(|place| (path(place, &all), deck_above(place, &all), place.clone())).collect()
    };
    sorted.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let (decks, rest): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|(.., place)| place.kind == PlaceKind::Deck);
    let mut decks: Vec<Place> = decks.into_iter().map(|(.., deck)| deck).collect();
    decks.sort_by_key(rank);
    let mut branches: Vec<Branch> =
        decks.into_iter().map(|deck| Branch { deck: Some(deck), places: Vec::new() }).collect();
    let mut elsewhere = Vec::new();
    for (_, deck, place) in rest {
        let on = branches.iter_mut().find(|branch| deck.is_some() && branch.deck.as_ref().map(|deck| deck.id) == deck);
        match on {
            Some(branch) => branch.places.push(place),
            None => elsewhere.push(place),
        }
    }
    if !elsewhere.is_empty() {
        branches.push(Branch { deck: None, places: elsewhere });
    }
    branches
}

/// Sort key of a place among its siblings: the position that people set, then the name.
type Rank = (i32, String, PlaceId);

fn rank(place: &Place) -> Rank {
    (place.position, place.name.clone(), place.id)
}

/// The place and its ancestors, from itself upwards, up to the maximum depth.
fn upwards<'a>(place: &'a Place, all: &BTreeMap<PlaceId, &'a Place>) -> impl Iterator<Item = &'a Place> {
    let above = |place: &&'a Place| place.parent_id.and_then(|id| all.get(&id).copied());
    std::iter::successors(Some(place), above).take(DEEPEST)
}

/// The sort keys from the place right under the deck down to this one.
fn path(place: &Place, all: &BTreeMap<PlaceId, &Place>) -> Vec<Rank> {
    let mut ranks: Vec<Rank> =
        upwards(place, all).take_while(|place| place.kind != PlaceKind::Deck).map(rank).collect();
    ranks.reverse();
    ranks
}

/// The nearest deck above a place.
fn deck_above(place: &Place, all: &BTreeMap<PlaceId, &Place>) -> Option<PlaceId> {
    upwards(place, all).skip(1).find(|place| place.kind == PlaceKind::Deck).map(|deck| deck.id)
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{cabin, deck, id, saloon};

    use super::*;

    fn shape(branches: &[Branch]) -> Vec<(Option<&str>, Vec<&str>)> {
        branches
            .iter()
            .map(|branch| {
                let places = branch.places.iter().map(|place| place.name.as_str()).collect();
                (branch.deck.as_ref().map(|deck| deck.name.as_str()), places)
            })
            .collect()
    }

    #[test]
    fn places_stand_under_their_deck_in_the_order_that_people_gave_them() {
        let first = Place { id: id(7), name: "Cabin 7".into(), position: -1, ..cabin() };
        let upper = Place { id: id(8), name: "Upper deck".into(), position: 1, ..deck() };
        let branches = by_deck(&[saloon(), upper, cabin(), deck(), first]);
        assert_eq!(
            shape(&branches),
            [(Some("Lower deck"), vec!["Cabin 7", "Cabin 5"]), (Some("Upper deck"), vec![]), (None, vec!["Saloon"])]
        );
    }

    #[test]
    fn a_room_in_a_cabin_stands_on_the_cabin_s_deck_right_after_the_cabin() {
        let bath = Place { id: id(7), name: "Bath 5".into(), parent_id: Some(cabin().id), position: 9, ..cabin() };
        let shower = Place { id: id(8), name: "Shower".into(), parent_id: Some(bath.id), position: 0, ..cabin() };
        let next = Place { id: id(9), name: "Cabin 6".into(), position: cabin().position + 1, ..cabin() };
        let branches = by_deck(&[shower, next, bath, deck(), cabin()]);
        assert_eq!(shape(&branches), [(Some("Lower deck"), vec!["Cabin 5", "Bath 5", "Shower", "Cabin 6"])]);
    }

    #[test]
    fn a_place_stands_on_the_nearest_deck_above_it() {
        let mezzanine =
            Place { id: id(7), name: "Mezzanine".into(), parent_id: Some(deck().id), position: 9, ..deck() };
        let bar = Place { id: id(8), name: "Bar".into(), parent_id: Some(mezzanine.id), ..cabin() };
        let branches = by_deck(&[bar, mezzanine, deck()]);
        assert_eq!(shape(&branches), [(Some("Lower deck"), vec![]), (Some("Mezzanine"), vec!["Bar"])]);
    }

    #[test]
    fn a_ring_of_places_is_shown_all_the_same() {
        let bath = Place { id: id(7), name: "Bath".into(), parent_id: Some(cabin().id), ..cabin() };
        let ring = Place { parent_id: Some(bath.id), ..cabin() };
        let branches = by_deck(&[ring, bath, deck()]);
        assert_eq!(branches.last().map(|branch| (branch.deck.is_none(), branch.places.len())), Some((true, 2)));
    }

    #[test]
    fn a_place_whose_deck_is_not_known_is_not_lost() {
        assert_eq!(shape(&by_deck(&[cabin()])), [(None, vec!["Cabin 5"])]);
    }
}
