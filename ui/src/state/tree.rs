//! Places as people look for them: deck by deck, in the order that people gave them.

use crewbell_shared::place::{Place, PlaceKind};

use super::State;

/// A deck with what stands in it, or what stands in none.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The deck; none for what stands in no deck.
    pub deck: Option<Place>,
    /// What stands in it.
    pub places: Vec<Place>,
}

impl State {
    /// All places by deck, following all of them.
    pub fn places_by_deck(self) -> Vec<Branch> {
        by_deck(self.places.list(|item| Some(item.noun.clone())))
    }
}

/// Sorts places under their decks. What stands in no deck, or in one that isn't known, comes last.
pub fn by_deck(mut places: Vec<Place>) -> Vec<Branch> {
    places.sort_by(|a, b| (a.position, &a.name).cmp(&(b.position, &b.name)));
    let (decks, places): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| place.kind == PlaceKind::Deck);
    let mut branches: Vec<Branch> =
        decks.into_iter().map(|deck| Branch { deck: Some(deck), places: Vec::new() }).collect();
    let mut elsewhere = Vec::new();
    for place in places {
        let deck = branches.iter_mut().find(|branch| branch.deck.as_ref().map(|deck| deck.id) == place.parent_id);
        match deck {
            Some(branch) => branch.places.push(place),
            None => elsewhere.push(place),
        }
    }
    if !elsewhere.is_empty() {
        branches.push(Branch { deck: None, places: elsewhere });
    }
    branches
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
        let branches = by_deck(vec![saloon(), upper, cabin(), deck(), first]);
        assert_eq!(
            shape(&branches),
            [(Some("Lower deck"), vec!["Cabin 7", "Cabin 5"]), (Some("Upper deck"), vec![]), (None, vec!["Saloon"])]
        );
    }

    #[test]
    fn a_place_whose_deck_is_not_known_is_not_lost() {
        assert_eq!(shape(&by_deck(vec![cabin()])), [(None, vec!["Cabin 5"])]);
    }
}
