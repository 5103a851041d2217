//! A picker for places, grouped by deck.

use crewbell_shared::ids::PlaceId;
use crewbell_shared::place::Place;
use leptos::prelude::*;

use super::Search;
use crate::bridge::ids::new_id;
use crate::locales::words;
use crate::state::{Branch, state};

/// Maximum number of places shown at once; the search finds the rest.
const SHOWN: usize = 100;
/// Number of places up to which no search field is shown.
const GLANCE: usize = 12;

/// A picker for one of all places, grouped by deck.
#[component]
pub fn PlacePicker(
    /// The selected place.
    value: RwSignal<Option<PlaceId>>,
) -> impl IntoView {
    let state = state();
    let looked_for = RwSignal::new(String::new());
    let group = new_id::<uuid::Uuid>().to_string();
    let all = Memo::new(move |_| state.places_by_deck());
    let many = Memo::new(move |_| all.with(|all| all.iter().map(|branch| branch.places.len()).sum::<usize>() > GLANCE));
    let found = Memo::new(move |_| looked_for.with(|words| all.with(|all| find(all, words, SHOWN))));
    let branches = move || {
        let branch = |branch: Branch| {
            let title = branch.deck.map_or(words().places.elsewhere.to_owned(), |deck| deck.name);
            let choices = branch.places.into_iter().map(|place| choice(place, &group, value)).collect_view();
            view! {
                <fieldset class="choices">
                    <legend>{title}</legend>
                    {choices}
                </fieldset>
            }
        };
        found.get().0.into_iter().map(branch).collect_view()
    };
    let nothing = move || found.with(|(found, _)| found.is_empty());
    view! {
        <div class="picker">
            <Show when=move || many.get()><Search value=looked_for name=words().places.pick_search/></Show>
            {branches}
            <Show when=nothing><p class="help">{words().common.nothing_found}</p></Show>
            <Show when=move || found.with(|(_, cut)| *cut)><p class="help">{words().places.pick_more}</p></Show>
        </div>
    }
}

fn choice(place: Place, group: &str, value: RwSignal<Option<PlaceId>>) -> impl IntoView + use<> {
    let id = place.id;
    view! {
        <label class="choice">
            <input type="radio" name=group.to_owned() prop:checked=move || value.get() == Some(id)
                on:change=move |_| value.set(Some(id))/>
            <span>{place.name}</span>
        </label>
    }
}

/// Searches places by their name or their deck's name. Returns at most `most` of them, and whether there are more.
fn find(all: &[Branch], words: &str, most: usize) -> (Vec<Branch>, bool) {
    let words = words.trim().to_lowercase();
    let has = |name: &str| name.to_lowercase().contains(&words);
    let (mut left, mut cut, mut found) = (most, false, Vec::new());
    for branch in all {
        let deck_has = branch.deck.as_ref().is_some_and(|deck| has(&deck.name));
        let mut places: Vec<Place> =
            branch.places.iter().filter(|place| deck_has || has(&place.name)).cloned().collect();
        cut |= places.len() > left;
        places.truncate(left);
        left -= places.len();
        if !places.is_empty() {
            found.push(Branch { deck: branch.deck.clone(), places });
        }
    }
    (found, cut)
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{cabin, deck, saloon};

    use super::*;

    fn yacht() -> Vec<Branch> {
        vec![Branch { deck: Some(deck()), places: vec![cabin()] }, Branch { deck: None, places: vec![saloon()] }]
    }

    fn names(found: &[Branch]) -> Vec<&str> {
        found.iter().flat_map(|branch| branch.places.iter().map(|place| place.name.as_str())).collect()
    }

    #[test]
    fn a_place_is_found_by_its_name_or_its_decks() {
        assert_eq!(names(&find(&yacht(), " SALO", 9).0), ["Saloon"]);
        assert_eq!(names(&find(&yacht(), "lower", 9).0), ["Cabin 5"]);
        assert_eq!(names(&find(&yacht(), "", 9).0), ["Cabin 5", "Saloon"]);
        assert!(find(&yacht(), "galley", 9).0.is_empty());
    }

    #[test]
    fn who_is_not_shown_all_is_told_so() {
        let (found, cut) = find(&yacht(), "", 1);
        assert_eq!((names(&found), cut), (vec!["Cabin 5"], true));
        assert!(!find(&yacht(), "", 2).1);
    }
}
