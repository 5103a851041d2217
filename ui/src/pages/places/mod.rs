//! The places page: decks and cabins, with guests, open requests and buttons.
//!
//! - `here` the facts per place; `row` one place; `sheet` a place in full; `form` adds or changes a place

mod form;
mod here;
mod row;
mod sheet;

use crewbell_shared::ids::PlaceId;
use crewbell_shared::person::Right;
use crewbell_shared::place::PlaceKind;
use leptos::prelude::*;

use crate::components::{Button, Calm, Empty, Freshness, Icon, IconName, Search};
use crate::locales::words;
use crate::pages::Info;
use crate::route::{Page, Route, go, leave};
use crate::state::{Branch, state};

use form::PlaceForm;
use here::Here;
use row::PlaceRow;
use sheet::PlaceSheet;

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.places.title, icon: IconName::Place, right: None };

/// The number of a deck's places that are shown at first.
const SHOWN: usize = 100;

/// The places of a deck, by id: the list renders again only when these change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Deck {
    id: Option<PlaceId>,
    places: Vec<PlaceId>,
}

/// The places page.
#[component]
pub fn Places() -> impl IntoView {
    let state = state();
    let looked_for = RwSignal::new(String::new());
    let adds = RwSignal::new(None::<PlaceKind>);
    let here = Memo::new(move |_| Here::now(state));
    let edits = Memo::new(move |_| state.may(Right::EditPlaces));
    let calm = Calm::new();
    let decks = calm.keep(Memo::new(move |_| {
        let words = looked_for.with(|words| words.trim().to_lowercase());
        let all = state.places_by_deck();
        if words.is_empty() { all.iter().map(whole).collect() } else { here.with(|here| found(&all, here, &words)) }
    }));
    let none = Memo::new(move |_| state.places.list(|_| Some(())).is_empty());
    let nothing = Memo::new(move |_| !none.get() && decks.with(Vec::is_empty));
    let open = Memo::new(move |_| {
        let at = state.route.get();
        at.id.filter(|_| at.page == Page::Places).map(PlaceId)
    });
    let on_open = Callback::new(move |id: PlaceId| go(Route::about(Page::Places, id.0)));
    let close = move || leave(Page::Places);
    let add_buttons = move || {
        let add = move |label: &'static str, kind| {
            view! { <Button label icon=IconName::Plus on_press=move || adds.set(Some(kind))/> }
        };
        view! { {add(words().places.add, PlaceKind::Cabin)} {add(words().places.add_deck, PlaceKind::Deck)} }
    };
    view! {
        <div class="spot-bar">
            <Show when=move || !none.get()><Search value=looked_for name=words().places.search/></Show>
            <Show when=move || edits.get()><div class="acts">{add_buttons}</div></Show>
            <Freshness/>
        </div>
        <Show when=move || none.get()>
            <Empty icon=IconName::Place title=words().places.empty text=words().places.empty_hint/>
        </Show>
        <Show when=move || nothing.get()>
            <Empty icon=IconName::Search title=words().common.nothing_found text=words().common.nothing_found_hint/>
        </Show>
        <div class="spot-decks" on:pointerdown=move |_| calm.pressed()>
            <For each=move || decks.get() key=|deck| deck.clone() let:deck><DeckList deck here on_open/></For>
        </div>
        {move || open.get().map(|id| view! { <PlaceSheet id on_close=close/> })}
        {move || adds.get().map(|kind| view! { <PlaceForm kind on_close=move || adds.set(None)/> })}
    }
}

fn whole(branch: &Branch) -> Deck {
    Deck { id: branch.deck.as_ref().map(|deck| deck.id), places: branch.places.iter().map(|place| place.id).collect() }
}

/// The places whose name, deck or guest contains the words. Decks without any are left out.
fn found(all: &[Branch], here: &Here, words: &str) -> Vec<Deck> {
    let has = |name: &str| name.to_lowercase().contains(words);
    let found = all.iter().map(|branch| {
        let deck_has = branch.deck.as_ref().is_some_and(|deck| has(&deck.name));
        let wanted = branch
            .places
            .iter()
            .filter(|place| deck_has || has(&place.name) || here.guests(place.id).iter().any(|guest| has(guest)));
        Deck { places: wanted.map(|place| place.id).collect(), ..whole(branch) }
    });
    found.filter(|deck| !deck.places.is_empty()).collect()
}

/// A deck and its places.
#[component]
fn DeckList(
    /// The deck, with the ids of its places.
    deck: Deck,
    /// The facts per place.
    here: Memo<Here>,
    /// Called when a place is pressed.
    on_open: Callback<PlaceId>,
) -> impl IntoView {
    let state = state();
    let Deck { id, places } = deck;
    let all = places.len();
    let shown = RwSignal::new(SHOWN);
    let name = Memo::new(move |_| id.map_or(words().places.elsewhere.to_owned(), |id| state.place_name(id)));
    let pending = Memo::new(move |_| id.and_then(|id| state.places.get(id)).is_some_and(|item| item.pending));
    let first = move || places.iter().take(shown.get()).copied().collect::<Vec<_>>();
    // A deck opens a sheet like its places.
    let title = match id {
        Some(id) => view! {
            <h2><button type="button" class="row-press" on:click=move |_| on_open.run(id)>
                {name}<Icon of=IconName::Forward/>
            </button></h2>
        }
        .into_any(),
        None => view! { <h2>{name}</h2> }.into_any(),
    };
    view! {
        <section class="deck">
            <header class="deck-top" class:pending=pending>
                {title}
                <small>{words().places.count.say(all)}</small>
            </header>
            <Show when=move || pending.get()><small class="pending-word">{words().common.pending}</small></Show>
            <Show when=move || all == 0><p class="help">{words().places.deck_empty}</p></Show>
            <ul class="rows">
                <For each=first.clone() key=|id| *id let:id><PlaceRow id here on_open/></For>
            </ul>
            <Show when=move || { all > shown.get() }>
                <Button label=words().common.show_more on_press=move || shown.update(|shown| *shown += SHOWN)/>
            </Show>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{cabin, deck, saloon};

    use super::*;

    #[test]
    fn a_place_is_found_by_its_name_and_its_decks() {
        let all = [Branch { deck: Some(deck()), places: vec![cabin()] }, Branch { deck: None, places: vec![saloon()] }];
        let ids =
            |words| found(&all, &Here::default(), words).into_iter().flat_map(|deck| deck.places).collect::<Vec<_>>();
        assert_eq!(ids("cabin"), [cabin().id]);
        assert_eq!(ids("lower"), [cabin().id]);
        assert_eq!(ids("saloon"), [saloon().id]);
        assert_eq!(ids("pool"), []);
    }
}
