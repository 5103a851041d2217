//! The page of a request: its details, actions, voice message, notes and timeline.
//!
//! `story` merges the server's log entries with what the device knows; `notes`, `hand_over`, `cancel`, `voice` are its
//! parts.

mod cancel;
mod hand_over;
mod notes;
mod timeline;
mod voice;

use crewbell_core::screen::Ask;
use crewbell_core::store::{CommandStatus, EntityKey, Line};
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::{EntityType, Verb};
use crewbell_shared::request::{Request, RequestState};
use leptos::prelude::*;

use crate::components::{Age, Chip, Empty, Icon, IconName, Said, Tone};
use crate::locales::{Sentence, command_text, fill, log_text, time, words};
use crate::pages::calls::{CallAbout, calls_about};
use crate::pages::requests::{Acts, asked_for, class, icon, who_has_it_there};
use crate::state::{AppState, state};
use timeline::{Event, story};

pub use cancel::Cancel;
pub use hand_over::HandOver;

/// The details of a request.
#[component]
pub fn RequestDetail(id: RequestId) -> impl IntoView {
    let state = state();
    let there = Memo::new(move |_| state.requests.get(id).is_some());
    view! {
        <Show when=move || there.get()
            fallback=|| view! { <Empty icon=IconName::Bell title=words().request.gone/> }>
            <Head id/>
            <Story id/>
            <notes::WriteNote id/>
        </Show>
    }
}

/// The summary of a request: what is asked, by whom, who has it, and the actions.
#[component]
fn Head(id: RequestId) -> impl IntoView {
    let state = state();
    let item = Memo::new(move |_| state.requests.get(id));
    let voice = Memo::new(move |_| item.with(|item| item.as_ref().and_then(|item| item.entity.voice.clone())));
    let reached = Memo::new(move |_| state.reached.with(|reached| reached.get(&id).copied()));
    let summary = move || {
        let item = item.get()?;
        let request = item.entity;
        let place = state.places.get(request.place_id).map(|place| place.entity);
        let guest = request.guest_id.and_then(|guest| state.guests.get(guest)).map(|guest| guest.entity);
        let closed = request.state.is_closed();
        Some(view! {
            <header class=format!("{} head", class(&request))>
                <span class="kind"><Icon of=icon(&request)/></span>
                <div class="about">
                    <h2>{request.place_name.clone()}</h2>
                    <p class="what"><Said of=asked(&request)/></p>
                    <p class="guest">{guest.as_ref().map(|guest| guest.name.clone())}</p>
                    <p class="guest-notes">{guest.map(|guest| guest.notes).filter(|notes| !notes.is_empty())}</p>
                </div>
                {(!closed).then(|| view! { <Age since=request.created_at/> })}
                <div class="chips">
                    <Chip text=state_words(state, &request) tone=tone(&request.state)/>
                    {item.pending.then(|| view! { <Chip text=words().common.pending tone=Tone::Wait icon=IconName::Clock/> })}
                    {place.is_some_and(|place| place.do_not_disturb).then(|| view! {
                        <Chip text=words().requests.dnd icon=IconName::Moon/>
                    })}
                </div>
                <p class="said">{request.text.as_ref().map(|text| fill(words().request.said, &[("text", text)]))}</p>
            </header>
        })
    };
    view! {
        {summary}
        {move || voice.get().map(|voice| view! { <voice::VoiceMessage id voice/> })}
        {move || reached.get().map(|(devices, sounded)| sounded_on(devices, sounded))}
        <Acts id all=true/>
        <CallAbout entity_type=EntityType::Request id=id.0/>
    }
}

/// The timeline of a request, including unsent commands.
#[component]
fn Story(id: RequestId) -> impl IntoView {
    let state = state();
    let told = RwSignal::new(Vec::<Line>::new());
    let partial = RwSignal::new(false);
    let live = Memo::new(move |_| state.status.with(|status| status.link.is_there()));
    // The timeline is requested once, and again after a reconnect; in between, live entries are in the store.
    Effect::new(move || {
        live.track();
        state.ask_or(Ask::Timeline { request_id: id }, move |answer: Result<Vec<Line>, _>| {
            partial.try_set(answer.is_err());
            if let Ok(lines) = answer {
                told.try_set(lines);
            }
        });
    });
    let known = Memo::new(move |_| {
        let about =
            |line: &&Line| line.about.is_some_and(|key| key.entity_type == EntityType::Request && key.id == id.0);
        state.lines.with(|lines| lines.iter().filter(about).cloned().collect::<Vec<_>>())
    });
    let unsent = Memo::new(move |_| unsent(state, id));
    let events = Memo::new(move |_| {
        let request = state.requests.get(id).map(|item| item.entity);
        let Some(request) = request else { return Vec::new() };
        let calls = calls_about(state, EntityType::Request, id.0);
        told.with(|told| known.with(|known| unsent.with(|unsent| story(told, known, &request, unsent, &calls))))
    });
    view! {
        <h3>{words().request.story}</h3>
        <ol class="story">
            {move || events.get().iter().map(|event| one_event(state, event)).collect_view()}
            {move || unsent.get().iter().map(|verb| view! {
                <li class="pending"><b>{command_text::doing(state, verb)}</b><small class="pending-word">{words().common.pending}</small></li>
            }).collect_view()}
        </ol>
        <Show when=move || partial.get()><p class="partial">{words().request.story_partial}</p></Show>
    }
}

fn one_event(state: AppState, event: &Event) -> impl IntoView + use<> {
    let when = time::moment(event.at, state.now.get_untracked());
    view! {
        <li>
            <b>{log_text::happened(&event.kind)}</b>
            <span>{event.text.clone()}</span>
            <small>{format!("{when}:{} · ", time::seconds(event.at))}<Said of=event.who.clone()/></small>
        </li>
    }
}

/// The person's commands about the request that the server hasn't answered.
fn unsent(state: AppState, id: RequestId) -> Vec<Verb> {
    let subject = Some(EntityKey::from(id));
    state.outbox.with(|outbox| {
        let ours = outbox.iter().filter(|item| item.doing == CommandStatus::Waiting && item.verb.subject() == subject);
        ours.map(|item| item.verb.clone()).collect()
    })
}

fn asked(request: &Request) -> Sentence {
    let at = fill(words().request.asked_at, &[("time", &time::time(request.created_at))]);
    Sentence::joined(asked_for(request).into_iter().chain([at.into()]), " · ")
}

fn state_words(state: AppState, request: &Request) -> String {
    let who = who_has_it_there(state, request);
    match &request.state {
        RequestState::Open | RequestState::Accepted(_) => who,
        RequestState::Completed { completed_at, .. } => {
            let span = time::age(completed_at.as_second() - request.created_at.as_second());
            format!("{who} · {}", fill(words().request.took, &[("span", &span)]))
        }
        RequestState::Cancelled { cancel_reason, .. } => match cancel_reason {
            Some(why) => format!("{who} · {}", fill(words().request.reason, &[("text", why)])),
            None => who,
        },
    }
}

fn tone(state: &RequestState) -> Tone {
    match state {
        RequestState::Open => Tone::Wait,
        RequestState::Accepted(_) => Tone::Mine,
        RequestState::Completed { .. } | RequestState::Cancelled { .. } => Tone::Quiet,
    }
}

fn sounded_on(devices: u32, sounded: u32) -> impl IntoView {
    let w = &words().request;
    let (text, tone) = if sounded == 0 {
        (w.sounded_nowhere.to_owned(), "alarm")
    } else {
        let [sounded, devices] = [sounded, devices].map(|number| number.to_string());
        (fill(w.sounded, &[("sounded", &sounded), ("devices", &devices)]), "")
    };
    let of = if sounded == 0 { IconName::SoundOff } else { IconName::Sound };
    view! { <p class=format!("sounded {tone}")><Icon of/>{text}</p> }
}
