//! The card of a guest: notes for the crew, stays, open requests.

use crewbell_shared::guest::Stay;
use crewbell_shared::ids::GuestId;
use crewbell_shared::person::Right;
use crewbell_shared::request::{Request, RequestState};
use leptos::prelude::*;

use super::{Open, chosen, over};
use crate::components::{Button, ButtonStyle, Empty, Icon, IconButton, IconName, Row};
use crate::locales::{fill, names, time, words};
use crate::route::{Page, Route, go};
use crate::state::{AppState, Item, state};

/// The card of the chosen guest, or a hint to choose one.
#[component]
pub fn Beside() -> impl IntoView {
    let state = state();
    let chosen = chosen(state);
    let is_there = Memo::new(move |_| chosen.get().is_some_and(|id| state.guests.get(id).is_some()));
    let there_are_none = Memo::new(move |_| state.guests.find(|_| Some(())).is_none());
    let shown = move || match (chosen.get(), is_there.get()) {
        (Some(id), true) => view! { <Card id/> }.into_any(),
        (Some(_), false) => view! {
            <Empty icon=IconName::Guest title=words().guests.gone>
                <Button label=words().guests.back on_press=|| go(Route::to(Page::Guests))/>
            </Empty>
        }
        .into_any(),
        // An empty list shows its own hint.
        (None, _) if there_are_none.get() => ().into_any(),
        (None, _) => {
            view! { <Empty icon=IconName::Guest title=words().guests.choose text=words().guests.choose_text/> }
                .into_any()
        }
    };
    view! { {shown} }
}

/// The card of a guest.
#[component]
fn Card(id: GuestId) -> impl IntoView {
    let state = state();
    let over = over();
    let w = &words().guests;
    let guest = Memo::new(move |_| state.guests.get(id));
    let name =
        Memo::new(move |_| guest.with(|item| item.as_ref().map(|item| item.entity.name.clone())).unwrap_or_default());
    let notes =
        Memo::new(move |_| guest.with(|item| item.as_ref().map(|item| item.entity.notes.clone())).unwrap_or_default());
    let pending = Memo::new(move |_| guest.with(|item| item.as_ref().is_some_and(|item| item.pending)));
    let may_edit = Memo::new(move |_| state.may(Right::EditGuests));
    view! {
        <article class="card guest-card" class:pending=pending aria-label=name>
            <header>
                <h2>{name}</h2>
                <Show when=move || may_edit.get()>
                    <IconButton icon=IconName::Pen name=w.edit on_press=move || over.open(Open::Edit(id))/>
                </Show>
            </header>
            <Show when=move || pending.get()><small class="pending-word">{words().common.pending}</small></Show>
            <Show when=move || notes.with(|notes| !notes.is_empty())
                fallback=|| view! { <p class="no-notes">{words().guests.no_notes}</p> }>
                <div class="guest-known">
                    <Icon of=IconName::Note/>
                    <div><b>{w.notes}</b><p>{notes}</p></div>
                </div>
            </Show>
            <Staying id may_edit/>
            <Wishes id/>
            <Earlier id/>
        </article>
    }
}

/// The stays of a guest, newest first.
fn stays_of(state: AppState, id: GuestId) -> Vec<Item<Stay>> {
    let mut stays = state.stays.list(|item| (item.entity.guest_id == id).then(|| item.clone()));
    stays.sort_by_key(|item| std::cmp::Reverse((item.entity.checked_in_at, item.entity.id)));
    stays
}

/// The current stay of the guest, with the buttons to check in or out.
#[component]
fn Staying(id: GuestId, may_edit: Memo<bool>) -> impl IntoView {
    let state = state();
    let over = over();
    let w = &words().guests;
    let current = Memo::new(move |_| stays_of(state, id).into_iter().find(|item| item.entity.checked_out_at.is_none()));
    let shown = move || match current.get() {
        Some(Item { entity, pending }) => {
            let (stay_id, place_id, since) = (entity.id, entity.place_id, entity.checked_in_at);
            let title = Memo::new(move |_| fill(w.stays_in, &[("place", &state.place_name(place_id))]));
            let text = Memo::new(move |_| fill(w.since, &[("time", &time::moment(since, state.now.get()))]));
            view! {
                <Row title text icon=IconName::Place pending/>
                <Show when=move || may_edit.get()>
                    <div class="acts">
                        <Button label=w.check_out icon=IconName::Leave
                            on_press=move || over.open(Open::CheckOut(stay_id))/>
                    </div>
                </Show>
            }
            .into_any()
        }
        None => view! {
            <Row title=w.no_place_yet icon=IconName::Place/>
            <Show when=move || may_edit.get()>
                <div class="acts">
                    <Button label=w.check_in look=ButtonStyle::Go icon=IconName::Key
                        on_press=move || over.open(Open::CheckIn(id))/>
                </div>
            </Show>
        }
        .into_any(),
    };
    view! {
        <section>
            <h3>{w.stay}</h3>
            {shown}
        </section>
    }
}

/// The guest's requests that aren't closed.
#[component]
fn Wishes(id: GuestId) -> impl IntoView {
    let state = state();
    let open = Memo::new(move |_| {
        let is_open = |how: &RequestState| matches!(how, RequestState::Open | RequestState::Accepted(_));
        state.requests.list(|item| {
            let request = &item.entity;
            let is_theirs = request.guest_id == Some(id) && is_open(&request.state);
            is_theirs.then(|| item.clone())
        })
    });
    let row = move |Item { entity: request, pending }: Item<Request>| {
        let to = Route::about(Page::Requests, request.id.0);
        let title = format!("{} · {}", request.place_name, names::wish(&request));
        let (text, who) = (names::state(&request.state), request.holder().cloned());
        view! { <Row title text who icon=IconName::Bell pending on_press=move || go(to)/> }
    };
    view! {
        <Show when=move || open.with(|open| !open.is_empty())>
            <section>
                <h3>{words().guests.requests}</h3>
                <div class="rows">{move || open.get().into_iter().map(row).collect_view()}</div>
            </section>
        </Show>
    }
}

/// The guest's earlier stays.
#[component]
fn Earlier(id: GuestId) -> impl IntoView {
    let state = state();
    let ended = Memo::new(move |_| {
        let stays = stays_of(state, id).into_iter();
        stays.filter(|item| item.entity.checked_out_at.is_some()).collect::<Vec<_>>()
    });
    let row = move |item: Item<Stay>| {
        let stay = item.entity;
        let (from, to) = (stay.checked_in_at, stay.checked_out_at.unwrap_or(stay.checked_in_at));
        let text = move || {
            let (from, to) = (time::date(from), time::date(to));
            fill(words().guests.from_to, &[("from", &from), ("to", &to)])
        };
        view! { <Row title=state.place_name(stay.place_id) text=text() pending=item.pending/> }
    };
    view! {
        <Show when=move || ended.with(|ended| !ended.is_empty())>
            <section>
                <h3>{words().guests.earlier}</h3>
                <div class="rows">{move || ended.get().into_iter().map(row).collect_view()}</div>
            </section>
        </Show>
    }
}
