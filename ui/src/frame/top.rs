//! The header of every page: title, connection state, duty, and silencing of alerts.

use crewbell_core::screen::Ask;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use super::link::LinkChip;
use crate::bridge::page;
use crate::components::{Icon, IconButton, IconName};
use crate::locales::words;
use crate::pages::info;
use crate::route::Page;
use crate::state::state;

/// The header of every page.
#[component]
pub fn Top() -> impl IntoView {
    let state = state();
    let at = Memo::new(move |_| state.route.get());
    let title = move || (info(at.get().page).title)(words());
    // The bar at the bottom links to these pages; all others get a back button.
    let deep = move || {
        let at = at.get();
        at.id.is_some() || !matches!(at.page, Page::Requests | Page::Activity | Page::Calls | Page::People | Page::More)
    };
    view! {
        <header class="top">
            <Show when=deep>
                <span class="only-phone">
                    <IconButton icon=IconName::Back name=words().common.back on_press=page::back/>
                </span>
            </Show>
            <h1>{title}</h1>
            <Silence/>
            <LinkChip/>
            <Busy/>
            <Duty/>
        </header>
    }
}

/// A button that silences ringing alerts; afterwards it shows that they are silenced.
#[component]
fn Silence() -> impl IntoView {
    let state = state();
    let loud = Memo::new(move |_| state.alerts.with(|alerts| alerts.iter().any(|alert| !alert.silenced)));
    let silent = Memo::new(move |_| state.alerts.with(|alerts| alerts.iter().any(|alert| alert.silenced)));
    let label = move || if loud.get() { words().frame.silence } else { words().frame.silenced };
    let icon = move || if loud.get() { IconName::Bell } else { IconName::BellOff };
    view! {
        <Show when=move || loud.get() || silent.get()>
            <button type="button" class="button silence" class:loud=loud disabled=move || !loud.get()
                aria-label=label on:click=move |_| state.ask(Ask::Silence)>
                {move || view! { <Icon of=icon()/> }}
                <span>{label}</span>
            </button>
        </Show>
    }
}

/// A toggle that shows whether the person is on duty.
#[component]
fn Duty() -> impl IntoView {
    let state = state();
    let me = Memo::new(move |_| state.me().map(|me| (me.id, me.name, me.on_duty)));
    view! {
        <Show when=move || me.with(Option::is_some)>
            <button type="button" class="chip duty" class:mine=move || me.with(|me| me.as_ref().is_some_and(|me| me.2))
                title=move || if me.with(|me| me.as_ref().is_some_and(|me| me.2)) {
                    words().frame.go_off_duty
                } else {
                    words().frame.go_on_duty
                }
                on:click=move |_| {
                    if let Some((person_id, _, on_duty)) = me.get_untracked() {
                        state.act(Verb::Person(PersonVerb::SetDuty { person_id, on_duty: !on_duty }));
                    }
                }>
                <i aria-hidden="true"></i>
                <span>{move || if me.with(|me| me.as_ref().is_some_and(|me| me.2)) {
                    words().frame.on_duty
                } else {
                    words().frame.off_duty
                }}</span>
                <span class="not-phone">{move || me.with(|me| me.as_ref().map(|me| format!("· {}", me.1)))}</span>
            </button>
        </Show>
    }
}

/// A chip that shows that the person doesn't want to be called; pressing it ends that.
#[component]
fn Busy() -> impl IntoView {
    let state = state();
    let me = Memo::new(move |_| state.me().filter(|me| me.busy).map(|me| me.id));
    let end = move |_| {
        if let Some(person_id) = me.get_untracked() {
            state.act(Verb::Person(PersonVerb::SetBusy { person_id, busy: false }));
        }
    };
    view! {
        <Show when=move || me.get().is_some()>
            <button type="button" class="chip wait" title=words().calls.busy_end
                aria-label=words().calls.busy_end on:click=end>
                <Icon of=IconName::PhoneDown/>
                <span>{words().calls.busy}</span>
            </button>
        </Show>
    }
}
