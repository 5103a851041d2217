//! The row of one button in the list.

use crewbell_shared::button::Button as Device;
use crewbell_shared::ids::ButtonId;
use leptos::prelude::*;

use super::Heard;
use super::health::{self, Care, Signal as Bars};
use crate::components::{Chip, Icon, IconName, Tone};
use crate::locales::{fill, time, words};
use crate::state::{AppState, state};

/// The row of a button: place, name, health. It is highlighted while the button sends.
#[component]
pub fn ButtonRow(
    /// The button.
    id: ButtonId,
    /// The buttons that have just sent.
    heard: Heard,
    /// Called when the row is pressed on the screen.
    on_open: Callback<ButtonId>,
) -> impl IntoView {
    let state = state();
    let Some(row) = state.buttons.row(id) else { return ().into_any() };
    let item = Memo::new(move |_| row.get());
    let button = Memo::new(move |_| item.with(|item| item.entity.clone()));
    let pending = Memo::new(move |_| item.with(|item| item.pending));
    let lit = Memo::new(move |_| heard.is_lit(id));
    let title = Memo::new(move |_| button.with(|button| title(state, button)));
    let text = Memo::new(move |_| button.with(|button| text(state, button)));
    view! {
        <li class="row device" class:pending=pending class:lit=lit>
            <button type="button" class="row-press" on:click=move |_| on_open.run(id)>
                <span class="row-icon"><Icon of=IconName::Button/></span>
                <span class="row-text">
                    <b>{title}</b>
                    <small>{text}</small>
                    <Show when=move || pending.get()>
                        <small class="pending-word">{words().common.pending}</small>
                    </Show>
                </span>
                <span class="device-health">
                    <Show when=move || lit.get()>
                        <Chip text=words().buttons.just_pressed tone=Tone::Info icon=IconName::Hand/>
                    </Show>
                    {move || button.with(signs)}
                </span>
            </button>
        </li>
    }
    .into_any()
}

/// The place and the name of a button; its number if it has neither.
pub fn title(state: AppState, button: &Device) -> String {
    let place = button.place_id.map(|id| state.place_name(id)).filter(|name| !name.is_empty());
    match (place, &button.name) {
        (Some(place), Some(name)) => format!("{place} · {name}"),
        (Some(place), None) => place,
        (None, Some(name)) => name.clone(),
        (None, None) => button.device.clone(),
    }
}

/// The number of a button, and when it was last seen.
fn text(state: AppState, button: &Device) -> String {
    format!("{} · {}", button.device, seen(state, button))
}

/// The time since a button was last seen, in words.
pub fn seen(state: AppState, button: &Device) -> String {
    let w = &words().buttons;
    match button.health.last_seen_at {
        Some(at) => fill(w.seen, &[("ago", &time::ago(at, state.now.get()))]),
        None => w.never_seen.to_owned(),
    }
}

/// The status at a glance: connection loss, battery, signal.
fn signs(button: &Device) -> impl IntoView + use<> {
    let retired = health::care(button) == Care::Retired;
    let lost = health::trouble(&button.health).filter(|_| !retired);
    let battery = health::battery(&button.health).filter(|_| !retired);
    let signal = health::signal(button).filter(|_| !retired && lost.is_none());
    view! {
        {lost.map(|text| view! { <Chip text tone=Tone::Alarm icon=IconName::Alarm/> })}
        {battery.map(|(text, tone)| view! { <Chip text tone icon=IconName::Battery/> })}
        {signal.map(|signal| view! { <SignalBars signal/> })}
    }
}

/// The signal strength as bars and in words.
#[component]
pub fn SignalBars(
    /// The signal strength.
    signal: Bars,
) -> impl IntoView {
    let bars = [Bars::Weak, Bars::Fair, Bars::Good, Bars::Strong];
    let bars = bars.map(|bar| view! { <i class:full=bar <= signal></i> }).collect_view();
    view! {
        <span class="signal">
            <span class="bars" aria-hidden="true">{bars}</span>
            <span>{health::signal_word(signal)}</span>
        </span>
    }
}
