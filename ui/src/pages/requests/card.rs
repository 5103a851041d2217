//! The card of a request on the board.

use crewbell_shared::ids::RequestId;
use crewbell_shared::request::{Held, Kind, Priority, Request, RequestState};
use leptos::prelude::*;

use super::acts::{Acts, who_has_it, who_has_it_there};
use crate::components::{Age, Calm, Icon, IconName, Said};
use crate::locales::{Sentence, fill, names, time, words};
use crate::route::{Page, Route};
use crate::state::{AppState, state};

/// The card of an open or accepted request. While the board is locked, texts that could change its height stay the
/// same; buttons and colours show a new holder at once.
#[component]
pub fn Card(id: RequestId, calm: Calm) -> impl IntoView {
    let state = state();
    let item = Memo::new(move |_| state.requests.get(id));
    let class = Memo::new(move |_| item.with(|item| item.as_ref().map(|item| class(&item.entity))));
    let chosen = Memo::new(move |_| state.route.get().id == Some(id.0));
    let place = Memo::new(move |_| item.with(|item| item.as_ref().map(|item| item.entity.place_name.clone())));
    let icon = Memo::new(move |_| item.with(|item| item.as_ref().map(|item| icon(&item.entity))));
    let of = move |say: fn(AppState, &Request) -> Sentence| {
        calm.keep(Memo::new(move |_| item.with(|item| item.as_ref().map(|item| say(state, &item.entity)))))
    };
    let (beneath, what, said) = (of(beneath), of(what), of(said));
    let since = Memo::new(move |_| item.with(|item| item.as_ref().map(|item| item.entity.created_at)));
    let pending = Memo::new(move |_| item.with(|item| item.as_ref().is_some_and(|item| item.pending)));
    let disturb = calm.keep(Memo::new(move |_| {
        let place = item.with(|item| item.as_ref().map(|item| item.entity.place_id))?;
        Some(state.places.get(place)?.entity.do_not_disturb)
    }));
    let line = move |of: Memo<Option<Sentence>>| move || of.get().map(|of| view! { <Said of/> });
    view! {
        <article class=move || class.get().unwrap_or("card") class:chosen=chosen class:pending=pending
            id=format!("card-{id}")>
            <span class="kind">{move || icon.get().map(|of| view! { <Icon of/> })}</span>
            <div class="about">
                <h3>
                    <a href=Route::about(Page::Requests, id.0).address() aria-current=move || {
                        chosen.get().then_some("true")
                    }>{place}</a>
                </h3>
                <p class="guest">{line(beneath)}</p>
                <p class="what">
                    {line(what)}
                    <Show when=move || pending.get()>
                        <span class="unsent">{words().common.pending}</span>
                    </Show>
                </p>
                <p class="said">{line(said)}</p>
                <Show when=move || disturb.get() == Some(true)>
                    <p class="dnd"><Icon of=IconName::Moon/>{words().requests.dnd}</p>
                </Show>
            </div>
            {move || since.get().map(|since| view! { <Age since/> })}
            <Acts id/>
        </article>
    }
}

/// A closed request, in one line.
#[component]
pub fn Done(id: RequestId) -> impl IntoView {
    let state = state();
    let line = move || {
        let item = state.requests.get(id)?;
        let request = item.entity;
        let at = match &request.state {
            RequestState::Completed { completed_at: at, .. } | RequestState::Cancelled { cancelled_at: at, .. } => *at,
            RequestState::Open | RequestState::Accepted(_) => request.created_at,
        };
        let span = time::age(at.as_second() - request.created_at.as_second());
        let times = format!("{} · {span}", time::time(at));
        Some(view! {
            <a class="done" class:pending=item.pending href=Route::about(Page::Requests, id.0).address()>
                <b>{request.place_name.clone()}</b>
                <span>{names::wish(&request)}</span>
                <span class="by"><Said of=who_has_it(state, &request)/></span>
                <time>{times}</time>
            </a>
        })
    };
    view! { {line} }
}

/// The CSS classes of a request, by state and emergency. An accepted emergency keeps the size of an emergency.
pub fn class(request: &Request) -> &'static str {
    let emergency = request.priority == Priority::Emergency;
    match (&request.state, emergency) {
        (RequestState::Open, true) => "card request alarm",
        (RequestState::Open, false) => "card request",
        (RequestState::Accepted(_), true) => "card request taken was-alarm",
        (RequestState::Accepted(_), false) => "card request taken",
        (RequestState::Completed { .. } | RequestState::Cancelled { .. }, _) => "card request over",
    }
}

/// The icon of a request.
pub fn icon(request: &Request) -> IconName {
    match (request.kind, request.service.as_deref()) {
        (Kind::Emergency, _) => IconName::Alarm,
        (Kind::Voice, _) => IconName::Microphone,
        (Kind::Service, Some(code)) => service_icon(code),
        (Kind::Service | Kind::Call | Kind::Urgent, _) => IconName::Bell,
    }
}

/// The icon of a service; a star for a site's own.
pub fn service_icon(code: &str) -> IconName {
    match code {
        "lights" => IconName::Lamp,
        "prepare_food" => IconName::Plate,
        "bring_drinks" => IconName::Cup,
        "do_not_disturb" => IconName::Moon,
        _ => IconName::Star,
    }
}

/// The guest and the deck.
fn beneath(state: AppState, request: &Request) -> Sentence {
    let guest = request.guest_id.and_then(|guest| state.guest_name(guest));
    let deck = state.deck_of(request.place_id).filter(|deck| deck.id != request.place_id).map(|deck| deck.name);
    [guest, deck].into_iter().flatten().collect::<Vec<_>>().join(" · ").into()
}

/// The holder, what is asked for, how often and by whom.
fn what(state: AppState, request: &Request) -> Sentence {
    let holder = request.holder().map(|_| who_has_it_there(state, request).into());
    Sentence::joined(holder.into_iter().chain(asked_for(request)), " · ")
}

/// The request in words, as separate sentences: the service, the number of presses, the crew member who created it, and
/// who is on another request of the place.
pub fn asked_for(request: &Request) -> Vec<Sentence> {
    let w = &words().requests;
    let pressed = (request.press_count > 1).then(|| w.pressed.say(request.press_count).into());
    let by = request.created_by.as_ref().map(|by| Sentence::fill(w.asked_by, &[("who", &by.into())]));
    let held = request.held.as_ref().map(|held| on_another(held, time::time(held.since)));
    [Some(names::wish(request).into()), pressed, by, held].into_iter().flatten().collect()
}

/// The crew member on another request of the place, with the time since.
fn on_another(held: &Held, since: String) -> Sentence {
    Sentence::fill(words().requests.held, &[("who", &(&held.by).into()), ("time", &since.into())])
}

/// The transcript of the guest's voice message, or the text of the request.
fn said(_: AppState, request: &Request) -> Sentence {
    let transcript = request.voice.as_ref().and_then(|voice| voice.transcripts().last());
    let text = transcript.or(request.text.as_deref());
    text.map(|text| fill(words().request.said, &[("text", text)]).into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crewbell_shared::request::Acceptance;
    use crewbell_shared::testing::{at, open_request, siri};

    use super::*;

    #[test]
    fn an_emergency_looks_like_one_in_whosever_hands_it_is() {
        let acceptance = Acceptance { accepted_by: siri().as_ref(), accepted_at: at(1) };
        let classes = |priority| {
            let open = Request { priority, ..open_request(at(0)) };
            let taken = Request { state: RequestState::Accepted(acceptance.clone()), ..open.clone() };
            [open, taken].map(|request| class(&request).split(' ').any(|class| class.ends_with("alarm")))
        };
        assert_eq!(classes(Priority::Emergency), [true, true]);
        assert_eq!(classes(Priority::High), [false, false]);
    }

    #[test]
    fn who_is_on_another_request_of_the_place_stands_on_the_card() {
        let held = Held { request_id: crewbell_shared::testing::id(51), by: siri().as_ref(), since: at(0) };
        let said = on_another(&held, "14:02".to_owned());
        let told = said.to_string();
        assert!(said.pieces().contains(&crate::locales::Piece::Person(siri().as_ref())), "{told}");
    }

    #[test]
    fn who_of_the_crew_asked_is_named_as_a_person() {
        let request = Request { press_count: 2, created_by: Some(siri().as_ref()), ..open_request(at(0)) };
        let said = Sentence::joined(asked_for(&request), " · ");
        assert!(said.to_string().ends_with("pressed 2× · by Siri"), "{said}");
        assert!(said.pieces().contains(&crate::locales::Piece::Person(siri().as_ref())));
    }
}
