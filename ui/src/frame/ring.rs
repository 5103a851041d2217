//! The incoming call, shown over everything until it is answered or stops ringing.
//!
//! It appears without warning, maybe under a finger or while a word is typed. So it takes the keyboard focus at once,
//! and ignores keys and taps for a moment.

use std::time::Duration;

use crewbell_core::screen::{Ask, AskError, Task};
use crewbell_shared::call::Call;
use leptos::html;
use leptos::prelude::*;
use web_sys::{HtmlElement, KeyboardEvent};

use crate::bridge::page;
use crate::components::{Face, Icon, IconName, keep_focus};
use crate::locales::{fill, names, refusals, words};
use crate::pages::calls::about;
use crate::state::{AppState, state};

/// How long it ignores input after it appears: such taps and keys were meant for something else.
const UNHEEDED: Duration = Duration::from_millis(700);

/// The overlay for an incoming call. A live region announces it to screen readers.
#[component]
pub fn Ring() -> impl IntoView {
    let state = state();
    let ringing = Memo::new(move |_| match state.phone.with(|phone| phone.task) {
        Task::Ring { call_id } => state.calls.get(call_id).map(|item| item.entity.id),
        Task::Idle | Task::RingBack { .. } | Task::Talk { .. } | Task::Over { .. } => None,
    });
    let said = Memo::new(move |_| {
        let call = state.calls.get(ringing.get()?)?.entity;
        Some(fill(words().calls.is_calling, &[("who", &call.caller.name)]))
    });
    view! {
        <p class="for-ears" aria-live="assertive">{said}</p>
        {move || ringing.get().and_then(|id| state.calls.peek(id)).map(|item| view! { <Incoming call=item.entity/> })}
    }
}

/// One call: the caller, the subject, and the two answers, as far apart as the thumbs.
#[component]
fn Incoming(call: Call) -> impl IntoView {
    let state = state();
    let w = &words().calls;
    let id = call.id;
    let heeds = RwSignal::new(false);
    let heed = move || {
        heeds.try_set(true);
    };
    set_timeout(heed, UNHEEDED);
    let wrong = RwSignal::new(None::<String>);
    let panel = NodeRef::<html::Div>::new();
    let before = StoredValue::new_local(page::focused());
    Effect::new(move || drop(panel.get().map(|panel| panel.focus())));
    on_cleanup(move || before.with_value(|before| drop(before.as_ref().map(HtmlElement::focus))));
    let send = move |ask: Ask| {
        if heeds.get_untracked() {
            state.ask_or(ask, move |answer: Result<(), AskError>| {
                wrong.try_set(answer.err().map(|error| refusals::ask_error(&error)));
            });
        }
    };
    let answer = move || send(Ask::Answer { call_id: id });
    let reject = move || send(Ask::HangUp { call_id: id });
    let on_key = move |event: KeyboardEvent| {
        event.stop_propagation();
        let key = event.key();
        if key == "Tab" {
            return keep_focus(&event, panel);
        }
        // On a focused button, Enter presses that button.
        let on_panel = page::focused().is_none_or(|at| at.tag_name() != "BUTTON");
        match key.as_str() {
            "Escape" if !event.repeat() => reject(),
            "Enter" if !event.repeat() && on_panel => answer(),
            _ => {}
        }
        if !heeds.get_untracked() || event.repeat() {
            event.prevent_default();
        }
    };
    let (who, caller) = (call.caller.name.clone(), call.caller.id);
    let role = move || state.people.get(caller).map(|item| names::role(item.entity.role));
    let why = about_words(state, &call);
    view! {
        <div class="ring" role="alertdialog" aria-modal="true" aria-labelledby="ring-title ring-who"
            aria-describedby="ring-role ring-about" tabindex="-1" node_ref=panel on:keydown=on_key>
            <p id="ring-title" class="ring-title"><Icon of=IconName::Phone/>{w.incoming}</p>
            <div class="ring-who">
                <Face id=caller name=who.clone()/>
                <h2 id="ring-who">{who}</h2>
                <p id="ring-role">{role}</p>
            </div>
            <p id="ring-about" class="ring-about">{why}</p>
            <p class="wrong" role="alert">{wrong}</p>
            <div class="ring-acts">
                <button type="button" class="ring-act reject" on:click=move |_| reject()>
                    <Icon of=IconName::PhoneDown/><span>{w.reject}</span>
                </button>
                <button type="button" class="ring-act answer" on:click=move |_| answer()>
                    <Icon of=IconName::Phone/><span>{w.answer}</span>
                </button>
            </div>
        </div>
    }
}

fn about_words(state: AppState, call: &Call) -> Option<String> {
    let what = about(state, call.about.as_ref()?);
    Some(fill(words().calls.about, &[("what", &what)]))
}
