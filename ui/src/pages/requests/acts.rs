//! The actions of a request, as buttons on its card and on its page.

use crewbell_shared::request::RequestVerb;
use std::time::Duration;

use crewbell_shared::ids::RequestId;
use crewbell_shared::person::{PersonRef, Right};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::{Request, RequestState};
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, IconButton, IconName, Said, presence_words};
use crate::locales::{Sentence, fill, words};
use crate::pages::request::{Cancel, HandOver};
use crate::state::{AppState, RequestSheet, state};

/// The actions that a person may take on a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each button")]
pub struct May {
    /// Accept it.
    pub accept: bool,
    /// Complete it.
    pub complete: bool,
    /// Hand it over, or release it.
    pub pass_on: bool,
    /// Assign it before anybody has accepted it.
    pub assign: bool,
    /// Cancel it.
    pub cancel: bool,
}

/// The actions that the signed-in person may take on a request.
pub fn may(state: AppState, request: &Request) -> May {
    let mine = request.holder().is_some_and(|holder| Some(holder.id) == state.my_id());
    let leads = state.may(Right::TakeOverRequests);
    match &request.state {
        RequestState::Open => May {
            accept: state.may(Right::AnswerRequests),
            assign: leads,
            cancel: state.may(Right::CancelRequests),
            ..May::default()
        },
        RequestState::Accepted(_) => May {
            // The guest pressed again: it rings until the holder acknowledges that.
            accept: mine && request.is_pressed_since_accepted(),
            complete: mine || leads,
            pass_on: mine || leads,
            cancel: state.may(Right::CancelRequests),
            ..May::default()
        },
        RequestState::Completed { .. } | RequestState::Cancelled { .. } => May::default(),
    }
}

/// How long buttons are disabled after they changed: the second tap of a double tap was meant for the previous button.
const REST: Duration = Duration::from_millis(600);

/// The buttons for a request. Cards show only actions on open and own requests; `all` shows everything, for its page.
#[component]
pub fn Acts(
    /// The request.
    id: RequestId,
    /// Whether to show all permitted actions.
    #[prop(optional)]
    all: bool,
) -> impl IntoView {
    let state = state();
    let opens = move |sheet: RequestSheet| move || state.sheet.set(Some((id, sheet)));
    let acts = Memo::new(move |_| {
        let request = state.requests.get(id)?.entity;
        let mine = request.holder().is_some_and(|holder| Some(holder.id) == state.my_id());
        let may = may(state, &request);
        let shown = if all || mine || request.state == RequestState::Open { may } else { May::default() };
        Some((shown, who_has_it(state, &request), request.place_name))
    });
    let resting = RwSignal::new(false);
    Effect::watch(
        move || acts.track(),
        move |(), _, _| {
            resting.set(true);
            let wake = move || {
                resting.try_set(false);
            };
            set_timeout(wake, REST);
        },
        false,
    );
    let act = move |verb: fn(RequestId) -> Verb| {
        move || {
            if !resting.get_untracked() {
                state.act(verb(id));
            }
        }
    };
    let release = act(|request_id| Verb::Request(RequestVerb::Release { request_id }));
    let buttons = move || {
        let (may, who, place) = acts.get()?;
        let w = &words().requests;
        let named = |words: &str| fill(words, &[("what", &place)]);
        let none = may == May::default();
        Some(view! {
            {may.accept.then(|| view! {
                <Button label=w.accept look=ButtonStyle::Go icon=IconName::Check name=named(w.accept_what)
                    on_press=act(|request_id| Verb::Request(RequestVerb::Accept { request_id }))/>
            })}
            {may.complete.then(|| view! {
                <Button label=w.complete look=ButtonStyle::Go icon=IconName::Check name=named(w.complete_what)
                    on_press=act(|request_id| Verb::Request(RequestVerb::Complete { request_id }))/>
            })}
            {may.pass_on.then(|| view! { <Button label=w.hand_over on_press=opens(RequestSheet::HandOver)/> })}
            {(may.pass_on && !all).then(|| view! {
                <IconButton icon=IconName::Undo name=w.release on_press=release/>
            })}
            {(may.pass_on && all).then(|| view! { <Button label=w.release icon=IconName::Undo on_press=release/> })}
            {(may.assign && all).then(|| view! {
                <Button label=words().request.assign on_press=opens(RequestSheet::HandOver)/>
            })}
            {(may.cancel && all).then(|| view! {
                <Button label=words().request.cancel look=ButtonStyle::Quiet on_press=opens(RequestSheet::Cancel)/>
            })}
            {none.then(|| view! { <span class="who-has-it"><Said of=who/></span> })}
        })
    };
    view! {
        <div class="acts" class:resting=resting>{buttons}</div>
    }
}

/// The sheet that is open for a request, until the sheet or the request is closed.
#[component]
pub fn Sheets() -> impl IntoView {
    let state = state();
    let open = Memo::new(move |_| {
        let (id, sheet) = state.sheet.get()?;
        let item = state.requests.get(id)?;
        (!item.entity.state.is_closed()).then_some((id, sheet))
    });
    let close = move || {
        state.sheet.try_set(None);
    };
    on_cleanup(close);
    move || {
        open.get().map(|(id, sheet)| match sheet {
            RequestSheet::HandOver => view! { <HandOver id on_close=close/> }.into_any(),
            RequestSheet::Cancel => view! { <Cancel id on_close=close/> }.into_any(),
        })
    }
}

/// The holder of a request as a text, with the presence of a colleague: "Accepted by Sam (Offline · last seen 14:02)".
pub fn who_has_it_there(state: AppState, request: &Request) -> String {
    let who = who_has_it(state, request);
    match request.holder().filter(|holder| Some(holder.id) != state.my_id()) {
        Some(holder) => format!("{who} ({})", presence_words(state, holder.id)),
        None => who.to_string(),
    }
}

/// The current or last holder of a request, in words.
pub fn who_has_it(state: AppState, request: &Request) -> Sentence {
    let w = &words().requests;
    let by = |text: &str, who: &PersonRef| Sentence::fill(text, &[("who", &who.into())]);
    match &request.state {
        RequestState::Open => words().kinds.state_open.to_owned().into(),
        RequestState::Accepted(now) if Some(now.accepted_by.id) == state.my_id() => w.you_have_it.to_owned().into(),
        RequestState::Accepted(now) => by(w.accepted_by, &now.accepted_by),
        RequestState::Completed { completed_by, .. } => by(w.completed_by, completed_by),
        RequestState::Cancelled { cancelled_by, .. } => by(w.cancelled_by, cancelled_by),
    }
}
