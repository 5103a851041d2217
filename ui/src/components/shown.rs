//! What is looked at: chips, rows, ages that tick, lists that say how fresh they are.

use crewbell_core::screen::Link;
use crewbell_shared::person::PersonRef;
use jiff::Timestamp;
use leptos::prelude::*;

use super::{Icon, Picture, Who};
use crate::locales::{fill, time, words};
use crate::state::state;

/// What a chip or a card says beside its words: a state, told by word and shape first and by colour last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Done, off, unknown.
    #[default]
    Quiet,
    /// Somebody waits.
    Wait,
    /// Somebody has it; it is well.
    Mine,
    /// Emergency, or broken.
    Alarm,
    /// News.
    Info,
}

impl Tone {
    /// The class in the style sheets.
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

/// A few words about a state.
#[component]
pub fn Chip(
    /// The words.
    #[prop(into)]
    text: Signal<String>,
    /// The state.
    #[prop(optional, into)]
    tone: Signal<Tone>,
    /// An icon before the words.
    #[prop(optional)]
    icon: Option<Picture>,
) -> impl IntoView {
    view! {
        <span class=move || format!("chip {}", tone.get().class())>
            {icon.map(|of| view! { <Icon of/> })}
            <span>{text}</span>
        </span>
    }
}

/// How long ago, ticking: `0:42`.
#[component]
pub fn Age(
    /// Since when.
    #[prop(into)]
    since: Signal<Timestamp>,
) -> impl IntoView {
    let state = state();
    let text = Memo::new(move |_| time::age(time::seconds_since(since.get(), state.now.get())));
    view! { <time class="age">{text}</time> }
}

/// A row of a list: two lines of text, with whatever belongs at its end. Pressed as a whole where it leads somewhere.
#[component]
pub fn Row(
    /// The first line.
    #[prop(into)]
    title: Signal<String>,
    /// The second.
    #[prop(optional, into)]
    text: Signal<String>,
    /// Somebody of the crew, named after the second.
    #[prop(optional_no_strip)]
    who: Option<PersonRef>,
    /// An icon before them.
    #[prop(optional)]
    icon: Option<Picture>,
    /// Whether it shows something that isn't sent.
    #[prop(optional, into)]
    pending: Signal<bool>,
    /// Where it leads; none: nowhere.
    #[prop(optional, into)]
    on_press: Option<Callback<()>>,
    /// What stands at its end.
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

/// A heading of a list: what, how many, and when the list was as the server has it.
#[component]
pub fn ListHeader(
    /// What is listed.
    #[prop(into)]
    title: String,
    /// How many, or whatever says the most in few words.
    #[prop(optional, into)]
    count: Signal<String>,
) -> impl IntoView {
    view! { <h2 class="list-header">{title}<span>{count}</span><Freshness/></h2> }
}

/// When what is shown was as the server has it.
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

/// Nothing is there, said kindly, with what to do about it.
#[component]
pub fn Empty(
    /// A picture.
    icon: Picture,
    /// What there is none of.
    #[prop(into)]
    title: Signal<String>,
    /// What to do.
    #[prop(optional, into)]
    text: Signal<String>,
    /// A button, perhaps.
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
