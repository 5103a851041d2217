//! The row of one call in the history, and the detection that a missed call was seen.

use crewbell_shared::call::CallVerb;
use std::time::Duration;

use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, PersonId};
use crewbell_shared::protocol::Verb;
use leptos::html;
use leptos::prelude::*;

use super::about::{about, way_to};
use super::{CallDirection, how};
use crate::bridge::page;
use crate::components::{CallButton, Chip, Face, Icon, Tone, presence_words};
use crate::locales::{fill, time, words};
use crate::route::Route;
use crate::state::{AppState, state};

/// Interval of the check whether a missed call is visible; after two successive hits it counts as seen.
const GLANCE: Duration = Duration::from_secs(1);

/// The row of a call: direction, partner, outcome, subject, time, and a button to call back.
#[component]
pub fn CallRow(
    /// The call.
    id: CallId,
    /// The signed-in person.
    me: PersonId,
) -> impl IntoView {
    let state = state();
    let Some(row) = state.calls.row(id) else { return ().into_any() };
    let call = Memo::new(move |_| row.get());
    let first = call.get_untracked().entity;
    let Some(other) = first.other(me).cloned() else { return ().into_any() };
    // The call stays marked as new while the row exists, so that a person who opens the page sees the mark.
    let is_new = CallDirection::of(&first, me) == CallDirection::Missed && first.is_unseen();
    let line = NodeRef::<html::Li>::new();
    if is_new {
        notice(state, id, line);
    }
    let way = Memo::new(move |_| call.with(|item| CallDirection::of(&item.entity, me)));
    let there = Memo::new(move |_| presence_words(state, other.id));
    let text = Memo::new(move |_| call.with(|item| beneath(state, &item.entity)));
    let why = Memo::new(move |_| call.with(|item| item.entity.about.as_ref().map(|of| about(state, of))));
    let what_for = first.about.clone();
    let to = what_for.as_ref().and_then(way_to).map(Route::address);
    let for_what = move || {
        let said = fill(words().calls.about, &[("what", &why.get()?)]);
        Some(match to.clone() {
            Some(to) => view! { <a class="call-about" href=to>{said}</a> }.into_any(),
            None => view! { <small class="call-about">{said}</small> }.into_any(),
        })
    };
    view! {
        <li class="row past" class:missed=move || way.get() == CallDirection::Missed
            class:pending=move || call.with(|item| item.pending) node_ref=line>
            <Face id=other.id name=other.name.clone() said_beside=true/>
            <span class="row-text">
                <span class="past-name">
                    <b>{other.name.clone()}</b>
                    <small>{there}</small>
                    {is_new.then(|| view! { <Chip text=words().calls.new tone=Tone::Wait/> })}
                </span>
                <small class="went">
                    {move || view! { <Icon of=way.get().icon()/> }}
                    <span><b>{move || way.get().word()}</b>" · "{text}</span>
                </small>
                {for_what}
            </span>
            <CallButton id=other.id about=what_for/>
        </li>
    }
    .into_any()
}

/// The outcome, duration and time of a call: "Call ended · 3:12 · 14:02".
fn beneath(state: AppState, call: &Call) -> String {
    format!("{} · {}", how(call), time::moment(call.call_time, state.now.get_untracked()))
}

/// Marks a missed call as seen, once, after it was visible for a while.
fn notice(state: AppState, id: CallId, line: NodeRef<html::Li>) {
    let glances = StoredValue::new(0_u8);
    let look = move || {
        let seen = line.get_untracked().is_some_and(|line| page::is_seen(&line, "main"));
        let before = glances.get_value();
        if seen && before == 1 {
            state.act(Verb::Call(CallVerb::See { call_id: id }));
        }
        // 2 means sent: the command is sent only once.
        glances.set_value(match (seen, before) {
            (_, 2..) | (true, 1) => 2,
            (true, 0) => 1,
            (false, _) => 0,
        });
    };
    if let Ok(handle) = set_interval_with_handle(look, GLANCE) {
        on_cleanup(move || handle.clear());
    }
}
