//! The check-in sheet: the choice of a place, free or taken.

use crewbell_shared::guest::StayVerb;
use crewbell_shared::ids::{GuestId, PlaceId, StayId};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use super::by_deck::{Heading, Room};
use super::list::{heading, house};
use crate::bridge::ids::new_id;
use crate::components::{Button, ButtonStyle, Empty, IconName, Search, Sheet, Switch};
use crate::locales::{fill, words};
use crate::pages;
use crate::route::{Page, Route, go};
use crate::state::state;

/// The sheet that asks for the guest's place.
#[component]
pub fn CheckIn(id: GuestId, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().guests;
    let sought = RwSignal::new(String::new());
    let only_free = RwSignal::new(false);
    let chosen = RwSignal::new(None::<PlaceId>);
    let title = Memo::new(move |_| fill(w.check_in_who, &[("who", &state.guest_name(id).unwrap_or_default())]));
    let rooms = Memo::new(move |_| sought.with(|sought| house(state).rooms(sought, only_free.get())));
    let there_are_any = Memo::new(move |_| !house(state).rooms("", false).is_empty());
    // A chosen place counts only while the search shows it.
    let choice = Memo::new(move |_| {
        rooms.with(|rooms| {
            let mut all = rooms.iter().flat_map(|(_, rooms)| rooms);
            all.find(|room| Some(room.place_id) == chosen.get()).cloned()
        })
    });
    let shares = move || {
        let room = choice.get().filter(|room| !room.taken_by.is_empty())?;
        Some(fill(w.shares_with, &[("place", &room.name), ("who", &room.taken_by.join(", "))]))
    };
    let label = move || {
        let room = choice.get();
        room.map_or(w.check_in.to_owned(), |room| fill(w.check_in_to, &[("place", &room.name)]))
    };
    let check_in = move || {
        if let Some(room) = choice.get_untracked() {
            let stay_id: StayId = new_id();
            state.act(Verb::Stay(StayVerb::CheckIn { stay_id, guest_id: id, place_id: room.place_id }));
            on_close.run(());
        }
    };
    let none_there = move || {
        view! {
            <Empty icon=IconName::Place title=w.no_cabins text=w.no_cabins_text>
                <Show when=move || state.may(Right::EditPlaces)>
                    <Button label=(pages::info(Page::Places).title)(words()) on_press=|| go(Route::to(Page::Places))/>
                </Show>
            </Empty>
        }
    };
    view! {
        <Sheet title on_close>
            <Show when=move || there_are_any.get() fallback=none_there>
                <Search value=sought name=w.check_in_search/>
                <Switch label=w.only_free on=only_free on_switch=move |on| only_free.set(on)/>
                <div class="rooms" role="radiogroup" aria-label=w.place>
                    <Show when=move || rooms.with(|rooms| !rooms.is_empty())
                        fallback=|| view! { <p class="no-notes">{words().common.nothing_found}</p> }>
                        {move || rooms.get().into_iter().map(|(on, rooms)| view! { <Deck on rooms chosen/> }).collect_view()}
                    </Show>
                </div>
                <p class="shares" role="status">{shares}</p>
                <div class="acts">
                    <Button label=Signal::derive(label) look=ButtonStyle::Go on_press=check_in
                        disabled=Signal::derive(move || choice.with(Option::is_none))/>
                </div>
            </Show>
        </Sheet>
    }
}

/// The rooms of a deck.
#[component]
fn Deck(on: Heading, rooms: Vec<Room>, chosen: RwSignal<Option<PlaceId>>) -> impl IntoView {
    let w = &words().guests;
    let one = move |room: Room| {
        let id = room.place_id;
        let free = room.taken_by.is_empty();
        let text = if free { w.free.to_owned() } else { fill(w.taken_by, &[("who", &room.taken_by.join(", "))]) };
        view! {
            <label class="room" class:free=free>
                <input type="radio" name="room" prop:checked=move || chosen.get() == Some(id)
                    on:change=move |_| chosen.set(Some(id))/>
                <b>{room.name}</b>
                <small>{text}</small>
            </label>
        }
    };
    view! {
        <h3>{heading(&on)}</h3>
        <div class="rooms-of-deck">{rooms.into_iter().map(one).collect_view()}</div>
    }
}
