//! The sheet of a place: guests, open requests, buttons, do-not-disturb, and the calls about it.

use crewbell_shared::button::{Button as Device, ButtonState};
use crewbell_shared::ids::PlaceId;
use crewbell_shared::person::Right;
use crewbell_shared::place::PlaceKind;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::{EntityType, Verb};
use crewbell_shared::request::Request;
use leptos::prelude::*;

use super::form::PlaceForm;
use super::here::is_open;
use crate::components::{Button, IconName, Row, Sheet, Switch};
use crate::locales::{Text, fill, names, time, words};
use crate::pages::buttons::trouble;
use crate::pages::calls::{CallAbout, CallsAbout};
use crate::route::{Page, Route, go};
use crate::state::{AppState, state};

/// The sheet of a place, with the form to change it.
#[component]
pub fn PlaceSheet(
    /// The place.
    id: PlaceId,
    /// Called when the sheet closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let place = Memo::new(move |_| state.places.get(id).map(|item| item.entity));
    let name = Memo::new(move |_| place.with(|place| place.as_ref().map(|one| one.name.clone()).unwrap_or_default()));
    let is_deck = Memo::new(move |_| place.with(|place| place.as_ref().is_some_and(|one| one.kind == PlaceKind::Deck)));
    let undisturbed = Memo::new(move |_| place.with(|place| place.as_ref().is_some_and(|one| one.do_not_disturb)));
    let unknown = Memo::new(move |_| place.with(Option::is_none));
    let edits = RwSignal::new(false);
    let set = move |on| state.act(Verb::Place(PlaceVerb::SetDoNotDisturb { place_id: id, on }));
    let contents = move || {
        if edits.get() {
            return view! { <PlaceForm place=id on_close=on_close/> }.into_any();
        }
        view! {
            <Sheet title=name on_close>
                <Show when=move || unknown.get()><p>{words().codes.not_found}</p></Show>
                <Show when=move || !is_deck.get() && !unknown.get()>
                    <div>
                        <Switch label=words().places.dnd on=undisturbed on_switch=set/>
                        <p class="help">{words().places.dnd_hint}</p>
                    </div>
                </Show>
                <Guests id is_deck/>
                <Requests id is_deck/>
                <Devices id is_deck/>
                <CallsAbout entity_type=EntityType::Place id=id.0/>
                <Show when=move || !unknown.get()><CallAbout entity_type=EntityType::Place id=id.0/></Show>
                <Show when=move || state.may(Right::EditPlaces) && !unknown.get()>
                    <div class="acts">
                        <Button label=words().common.edit icon=IconName::Pen on_press=move || edits.set(true)/>
                    </div>
                </Show>
            </Sheet>
        }
        .into_any()
    };
    view! { {contents} }
}

/// A section of the sheet: its rows, or a text that there are none. A deck, which seldom has rows, omits the text.
fn part(title: Text, none: Text, is_deck: bool, rows: Vec<AnyView>) -> impl IntoView {
    let rows = match (rows.is_empty(), is_deck) {
        (true, true) => return None,
        (true, false) => view! { <p class="help">{none}</p> }.into_any(),
        (false, _) => view! { <div class="rows">{rows}</div> }.into_any(),
    };
    Some(view! { <section><h3 class="spot-part">{title}</h3>{rows}</section> })
}

#[component]
fn Guests(id: PlaceId, is_deck: Memo<bool>) -> impl IntoView {
    let state = state();
    let stays = Memo::new(move |_| {
        let mut stays = state.stays.list(|item| {
            let stay = &item.entity;
            let stays = stay.place_id == id && stay.checked_out_at.is_none();
            stays.then_some((stay.checked_in_at, stay.guest_id, item.pending))
        });
        stays.sort_unstable_by_key(|(since, guest, _)| (*since, *guest));
        stays
    });
    let rows = move || {
        let row = |(since, guest, pending): (jiff::Timestamp, _, bool)| {
            let name = state.guest_name(guest).unwrap_or_default();
            let since = fill(words().places.since, &[("time", &time::date(since))]);
            view! { <Row title=name text=since icon=IconName::Guest pending=pending/> }.into_any()
        };
        part(
            words().places.guests,
            words().places.guests_none,
            is_deck.get(),
            stays.get().into_iter().map(row).collect(),
        )
    };
    view! { {rows} }
}

#[component]
fn Requests(id: PlaceId, is_deck: Memo<bool>) -> impl IntoView {
    let state = state();
    let open = Memo::new(move |_| {
        let is_here = |request: &Request| request.place_id == id && is_open(request);
        let mut open = state.requests.list(|item| is_here(&item.entity).then(|| item.clone()));
        open.sort_by_key(|item| item.entity.created_at);
        open
    });
    let rows = move || {
        let row = |item: crate::state::Item<Request>| {
            let request = item.entity;
            let to = Route::about(Page::Requests, request.id.0);
            let since = time::moment(request.created_at, state.now.get_untracked());
            let text = format!("{} · {since}", names::state(&request.state));
            let (title, who) = (names::wish(&request), request.holder().cloned());
            view! { <Row title text who icon=IconName::Bell pending=item.pending on_press=move || go(to)/> }.into_any()
        };
        part(
            words().places.requests,
            words().places.requests_none,
            is_deck.get(),
            open.get().into_iter().map(row).collect(),
        )
    };
    view! { {rows} }
}

#[component]
fn Devices(id: PlaceId, is_deck: Memo<bool>) -> impl IntoView {
    let state = state();
    let buttons = Memo::new(move |_| {
        let is_here = |button: &Device| button.place_id == Some(id) && button.state == ButtonState::Assigned;
        state.buttons.list(|item| is_here(&item.entity).then(|| item.clone()))
    });
    let rows = move || {
        let row = |item: crate::state::Item<Device>| {
            let to = Route::about(Page::Buttons, item.entity.id.0);
            let text = health(state, &item.entity);
            let title = item.entity.name.unwrap_or(item.entity.device);
            view! { <Row title text icon=IconName::Button pending=item.pending on_press=move || go(to)/> }.into_any()
        };
        part(
            words().places.buttons,
            words().places.buttons_none,
            is_deck.get(),
            buttons.get().into_iter().map(row).collect(),
        )
    };
    view! { {rows} }
}

/// The health of a button in one line.
fn health(state: AppState, button: &Device) -> String {
    let w = &words().buttons;
    let health = &button.health;
    let lost = trouble(health);
    let battery = health.battery_percent.map(|percent| fill(w.battery_percent, &[("percent", &percent.to_string())]));
    let now = state.now.get_untracked();
    let seen = health.last_seen_at.map(|at| fill(w.seen, &[("ago", &time::ago(at, now))]));
    let seen = seen.unwrap_or_else(|| w.never_seen.to_owned());
    lost.into_iter().chain(battery).chain([seen]).collect::<Vec<_>>().join(" · ")
}
