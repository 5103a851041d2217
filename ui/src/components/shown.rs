//! Display components: chips, rows, ticking ages, list headers that show the time of the last sync.

use crewbell_core::screen::Link;
use crewbell_shared::person::PersonRef;
use jiff::Timestamp;
use leptos::prelude::*;

use super::{Icon, IconName, Who};
use crate::locales::{fill, time, words};
use crate::state::state;

/// The state that a chip or card shows beside its text. Text and shape show it first, colour last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Done, off or unknown.
    #[default]
    Quiet,
    /// Somebody is waiting.
    Wait,
    /// Somebody is handling it, or it is fine.
    Mine,
    /// An emergency or a fault.
    Alarm,
    /// News.
    Info,
}

impl Tone {
    /// The CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Wait => "wait",
            Self::Mine => "mine",
            Self::Alarm => "alarm",
            Self::Info => "info",
        }
    }
}

/// A chip: a short text about a state.
#[component]
pub fn Chip(
    /// The text.
    #[prop(into)]
    text: Signal<String>,
    /// The state.
    #[prop(optional, into)]
    tone: Signal<Tone>,
    /// An icon before the text.
    #[prop(optional)]
    icon: Option<IconName>,
) -> impl IntoView {
    view! {
        <span class=move || format!("chip {}", tone.get().class())>
            {icon.map(|of| view! { <Icon of/> })}
            <span>{text}</span>
        </span>
    }
}

/// A ticking age: `0:42`.
#[component]
pub fn Age(
    /// The start of the age.
    #[prop(into)]
    since: Signal<Timestamp>,
) -> impl IntoView {
    let state = state();
    let text = Memo::new(move |_| time::age(time::seconds_since(since.get(), state.now.get())));
    view! { <time class="age">{text}</time> }
}

/// A row of a list: two lines of text and optional contents at its end. With `on_press` the whole row is a button.
#[component]
pub fn Row(
    /// The first line.
    #[prop(into)]
    title: Signal<String>,
    /// The second line.
    #[prop(optional, into)]
    text: Signal<String>,
    /// A crew member, named after the second line.
    #[prop(optional_no_strip)]
    who: Option<PersonRef>,
    /// An icon before the lines.
    #[prop(optional)]
    icon: Option<IconName>,
    /// Whether it contains an unsent change.
    #[prop(optional, into)]
    pending: Signal<bool>,
    /// Called when the row is pressed.
    #[prop(optional, into)]
    on_press: Option<Callback<()>>,
    /// The contents at the end of the row.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let body = view! {
        {icon.map(|of| view! { <span class="row-icon"><Icon of/></span> })}
        <span class="row-text">
            <b>{title}</b>
            <small>{text}{who.map(|person| view! { " · "<Who person/> })}</small>
            <Show when=move || pending.get()><small class="pending-word">{words().common.pending}</small></Show>
        </span>
    };
    let head = match on_press {
        Some(on_press) => {
            view! { <button type="button" class="row-press" on:click=move |_| on_press.run(())>{body}</button> }
                .into_any()
        }
        None => view! { <div class="row-press">{body}</div> }.into_any(),
    };
    view! { <div class="row" class:pending=pending>{head}{children.map(|children| children())}</div> }
}

/// The heading of a list: title, count, and the time of the last sync.
#[component]
pub fn ListHeader(
    /// The title.
    #[prop(into)]
    title: String,
    /// The number of entries, or another short summary.
    #[prop(optional, into)]
    count: Signal<String>,
) -> impl IntoView {
    view! { <h2 class="list-header">{title}<span>{count}</span><Freshness/></h2> }
}

/// The time of the last sync with the server.
#[component]
pub fn Freshness() -> impl IntoView {
    let state = state();
    let text = Memo::new(move |_| {
        let (link, as_of) = state.status.with(|status| (status.link, status.as_of));
        match as_of {
            _ if link == Link::Live => words().common.in_sync_live.to_owned(),
            Some(at) => fill(words().common.in_sync_at, &[("time", &time::moment(at, state.now.get()))]),
            None => words().common.never_synced.to_owned(),
        }
    });
    view! { <small class="freshness">{text}</small> }
}

/// A placeholder for an empty list, with a hint about what to do.
#[component]
pub fn Empty(
    /// The icon.
    icon: IconName,
    /// The title, which says what is missing.
    #[prop(into)]
    title: Signal<String>,
    /// The hint.
    #[prop(optional, into)]
    text: Signal<String>,
    /// An optional button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon of=icon/>
            <b>{title}</b>
            <p>{text}</p>
            {children.map(|children| children())}
        </div>
    }
}
