//! The request board: requests that need the person are on top and large; closed ones are inconspicuous.
//!
//! - `board` the arrangement (pure functions); `filter` the filter
//! - `card` a request; `acts` its actions; `keys` keyboard shortcuts
//!
//! On a desktop the board, the chosen request and recent log lines are side by side. On smaller screens the request
//! replaces the board.

mod acts;
mod board;
mod card;
mod filter;
mod keys;

use crewbell_core::screen::settings;
use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::person::Right;
use crewbell_shared::request::Request;
use leptos::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::components::{Button, ButtonStyle, Calm, Empty, IconName, ListHeader, Said, Search};
use crate::locales::{Sentence, names, time, words};
use crate::pages::Info;
use crate::pages::activity::subject;
use crate::pages::request::RequestDetail;
use crate::route::{Page, Route, go};
use crate::state::{AppState, state};
use board::{Board, arrange};
use card::{Card, Done};
use filter::{Filter, Filters, has_words};

pub use acts::{Acts, Sheets, who_has_it_there};
pub use card::{asked_for, class, icon, service_icon};

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.requests.title, icon: IconName::Bell, right: None };

/// The number of closed requests shown at first, and added with each press.
const DONE_AT_FIRST: usize = 20;

/// The board and the chosen request.
#[component]
pub fn Requests() -> impl IntoView {
    let state = state();
    let chosen = Memo::new(move |_| state.route.get().id.map(RequestId));
    let aside = Memo::new(move |_| state.wide.get() || chosen.get().is_none());
    let detail = move || match chosen.get() {
        Some(id) => view! { <RequestDetail id/> }.into_any(),
        None => view! { <Empty icon=IconName::Bell title=words().requests.choose/> }.into_any(),
    };
    view! {
        <div class="desk" class:wide=move || state.wide.get()>
            <Show when=move || aside.get()><TheBoard/></Show>
            <Show when=move || state.wide.get() || chosen.get().is_some()>
                <section class="detail">{detail}</section>
            </Show>
            <Show when=move || state.wide.get()>
                <section class="recent"><Recent/></section>
            </Show>
        </div>
    }
}

#[component]
fn TheBoard() -> impl IntoView {
    let state = state();
    let text = RwSignal::new(String::new());
    let filter = Memo::new(move |_| Filter::remembered(state));
    let today = Memo::new(move |_| time::start_of_day(state.now.get()));
    let wanted = Memo::new(move |_| filter.with(|filter| wanted(state, filter, &text.get(), today.get())));
    let calm = Calm::new();
    // A new search or filter takes effect at once, even while the board is locked.
    Effect::watch(move || (filter.track(), text.track()), move |_, _, _| calm.let_go(), false);
    let shown = Memo::new(move |before: Option<&Board>| match before {
        Some(before) if calm.is_held() => wanted.with(|wanted| before.held(wanted)),
        Some(_) | None => wanted.get(),
    });
    let new_above = Memo::new(move |_| wanted.with(|wanted| shown.with(|shown| shown.missing(wanted))));
    let help = RwSignal::new(false);
    keys::listen(state, shown, help);

    let more = RwSignal::new(DONE_AT_FIRST);
    let part = move |pick: fn(&Board) -> &Vec<RequestId>| Memo::new(move |_| shown.with(|board| pick(board).clone()));
    let (waiting, mine, others) =
        (part(|board| &board.waiting), part(|board| &board.mine), part(|board| &board.others));
    let done = Memo::new(move |_| shown.with(|board| board.done.iter().copied().take(more.get()).collect::<Vec<_>>()));
    let done_count = Memo::new(move |_| shown.with(|board| board.done.len()));
    let quiet = Memo::new(move |_| shown.with(|board| board.waiting.is_empty() && board.mine.is_empty()));
    // Before the first sync it is unknown whether anybody waits.
    let is_known = Memo::new(move |_| state.status.with(|status| status.as_of.is_some()));
    let hidden = Memo::new(move |_| shown.with(|board| board.hidden));
    let clear = move || {
        for name in [settings::BOARD_DECK, settings::BOARD_KIND, settings::BOARD_PERSON] {
            state.set(name, None);
        }
    };

    view! {
        <div class="board" on:pointerdown=move |_| calm.pressed() on:pointermove=move |_| calm.touched()
            on:keydown=move |_| calm.touched() on:scroll=move |_| calm.touched()>
            <div class="tools">
                <Search value=text name=words().requests.search/>
                <Filters/>
                <Show when=move || state.may(Right::CreateRequests)>
                    <Button name=words().new_request.title
                        label=words().new_request.title icon=IconName::Plus
                        on_press=move || go(Route::to(Page::NewRequest))/>
                </Show>
            </div>
            <div class="new-above" role="status">
                <Show when=move || { new_above.get() > 0 }>
                    <span class="chip wait">{move || words().requests.new_above.say(new_above.get())}</span>
                </Show>
            </div>
            <Show when=move || { hidden.get() > 0 }>
                <p class="hidden-note">
                    {move || words().requests.hidden.say(hidden.get())}
                    <Button label=words().requests.clear_filters look=ButtonStyle::Quiet on_press=clear/>
                </p>
            </Show>
            <Show when=move || quiet.get()>
                <Show when=move || is_known.get()
                    fallback=|| view! { <Empty icon=IconName::CloudOff title=words().common.never_synced/> }>
                    <Empty icon=IconName::Check title=words().requests.all_quiet text=words().requests.all_quiet_hint/>
                </Show>
            </Show>
            <Section title=words().requests.waiting ids=waiting calm count=Signal::derive(move || oldest(state, shown))/>
            <Section title=words().requests.mine ids=mine calm count=Signal::derive(move || number(mine))/>
            <Section title=words().requests.others ids=others calm count=Signal::derive(move || number(others))/>
            <Show when=move || { done_count.get() > 0 }>
                <ListHeader title=words().requests.done count=Signal::derive(move || median(shown))/>
                <div class="dones"><For each=move || done.get() key=|id| *id let:id><Done id/></For></div>
                <Show when=move || { done_count.get() > more.get() }>
                    <Button label=words().common.show_more on_press=move || more.update(|more| *more += DONE_AT_FIRST)/>
                </Show>
            </Show>
            <Show when=move || help.get()><keys::Help on_close=move || help.set(false)/></Show>
        </div>
    }
}

/// Cards under a heading; renders nothing if there are none.
#[component]
fn Section(#[prop(into)] title: String, ids: Memo<Vec<RequestId>>, calm: Calm, count: Signal<String>) -> impl IntoView {
    let title = StoredValue::new(title);
    view! {
        <Show when=move || ids.with(|ids| !ids.is_empty())>
            <ListHeader title=title.get_value() count/>
            <div class="cards"><For each=move || ids.get() key=|id| *id let:id><Card id calm/></For></div>
        </Show>
    }
}

/// The recent log lines of the site, beside the board.
#[component]
fn Recent() -> impl IntoView {
    let state = state();
    let lines = Memo::new(move |_| {
        state.lines.with(|lines| {
            let told = lines.iter().rev().filter(|line| line.kind != "button_seen");
            told.take(40).cloned().collect::<Vec<_>>()
        })
    });
    view! {
        <h2>{words().requests.recent}</h2>
        <ol class="story">
            <For each=move || lines.get() key=|line| line.seq let:line>
                <li>
                    <b>{crate::locales::log_text::happened(&line.kind)}</b>
                    <span>{subject(state, &line).map(|of| view! { <Said of/> })}</span>
                    <small>{format!("{} · ", time::time(line.at))}<Said of=Sentence::from(&line.actor)/></small>
                </li>
            </For>
        </ol>
    }
}

fn number(ids: Memo<Vec<RequestId>>) -> String {
    ids.with(Vec::len).to_string()
}

fn oldest(state: AppState, board: Memo<Board>) -> String {
    board.with(|board| {
        let age = board.oldest.map(|at| time::age(time::seconds_since(at, state.now.get()))).unwrap_or_default();
        words().requests.oldest.say_with(board.waiting.len(), &[("time", &age)])
    })
}

fn median(board: Memo<Board>) -> String {
    board.with(|board| match board.median_s {
        Some(median) => words().requests.median.say_with(board.done.len(), &[("time", &time::age(median))]),
        None => board.done.len().to_string(),
    })
}

/// The current arrangement of all requests; subscribes to all of them.
fn wanted(state: AppState, filter: &Filter, text: &str, today: jiff::Timestamp) -> Board {
    let decks = if filter.deck.is_some() { decks(state) } else { BTreeMap::new() };
    let is_wanted = |request: &Request| {
        filter.wants(request, decks.get(&request.place_id.0).copied())
            && (text.is_empty() || says(state, text, request))
    };
    arrange(|take| state.requests.each(|item| take(&item.entity)), state.my_id(), today, is_wanted)
}

/// The deck of every place.
fn decks(state: AppState) -> BTreeMap<Uuid, PlaceId> {
    let places = state.places.list(|item| Some(item.entity.id));
    places.into_iter().filter_map(|place| Some((place.0, state.deck_of(place)?.id))).collect()
}

fn says(state: AppState, text: &str, request: &Request) -> bool {
    let guest = request.guest_id.and_then(|guest| state.guest_name(guest)).unwrap_or_default();
    let spoken = request.voice.as_ref().and_then(|voice| voice.transcript.as_deref()).unwrap_or_default();
    let written = request.text.as_deref().unwrap_or_default();
    has_words(text, &[&request.place_name, &guest, &names::wish(request), spoken, written])
}
