//! The bar of the current call, on every page: its state, the microphone, the volume, hanging up.

use crewbell_core::screen::{Ask, Media, MediaPath, Phone, Quality, Task, settings};
use crewbell_shared::call::{Call, CallState, Outcome};
use crewbell_shared::ids::CallId;
use jiff::Timestamp;
use leptos::prelude::*;

use super::talk::Talk;
use crate::components::{Button, ButtonStyle, Face, Icon, IconName, Volume};
use crate::locales::{Text, names, time, words};
use crate::pages::calls::how;
use crate::state::{AppState, state};

/// The call on this device that is dialled, active or over.
pub fn on_line(state: AppState) -> Option<CallId> {
    match state.phone.with(|phone| phone.task) {
        Task::RingBack { call_id } | Task::Talk { call_id, .. } | Task::Over { call_id } => Some(call_id),
        Task::Idle | Task::Ring { .. } => None,
    }
}

/// The height of the bar in rows: 0 to 2.
pub fn rows(state: AppState) -> u8 {
    match state.phone.with(|phone| phone.task) {
        Task::Idle | Task::Ring { .. } => 0,
        Task::RingBack { .. } | Task::Over { .. } => 1,
        Task::Talk { .. } => 2,
    }
}

/// The bar of the call on this device.
#[component]
pub fn Line() -> impl IntoView {
    let state = state();
    // The call's entity and the phone state arrive separately: the bar appears as soon as both are there.
    let at = Memo::new(move |_| on_line(state).filter(|id| state.calls.get(*id).is_some()));
    view! { {move || at.get().map(|id| view! { <Bar id/> })} }
}

#[component]
fn Bar(id: CallId) -> impl IntoView {
    let state = state();
    let w = &words().calls;
    let call = Memo::new(move |_| state.calls.get(id).map(|item| (item.entity, item.pending)));
    let other = call.with_untracked(|call| {
        let me = state.session.with_untracked(|session| session.as_ref().map(|session| session.person.id))?;
        call.as_ref()?.0.other(me).cloned()
    });
    let other = other?;
    let task = Memo::new(move |_| state.phone.with(|phone| phone.task));
    let over = Memo::new(move |_| matches!(task.get(), Task::Over { .. }));
    let talks = Memo::new(move |_| matches!(task.get(), Task::Talk { .. }));
    let media = Memo::new(move |_| state.phone.with(|phone| phone.media.clone()));
    let said = Memo::new(move |_| {
        call.with(|call| call.as_ref().map(|(call, pending)| state.phone.with(|phone| said(phone, call, *pending))))
    });
    let since = Memo::new(move |_| {
        let timed = talks.get() && state.phone.with(is_connected);
        if timed { call.with(|call| answered(&call.as_ref()?.0)) } else { None }
    });
    let clock = Memo::new(move |_| since.get().map(|since| time::age(time::seconds_since(since, state.now.get()))));
    let troubles = Memo::new(move |_| media.with(|media| media.as_ref().map(troubles).unwrap_or_default()));
    // Until the voice engine reports, the setting decides, so that the bar doesn't change its size.
    let set_to_hold = move || state.setting(settings::PUSH_TO_TALK).as_deref() == Some("on");
    let holds = Memo::new(move |_| {
        media.with(|media| media.as_ref().map_or_else(set_to_hold, |media| media.push_to_talk.is_some()))
    });
    let muted = Memo::new(move |_| media.with(|media| media.as_ref().is_some_and(|media| media.muted)));
    let hang_up = move || state.ask(Ask::HangUp { call_id: id });
    let name = crate::locales::fill(w.with, &[("who", &other.name)]);
    Some(view! {
        <section class="line" class:over=over class:talks=talks aria-label=name>
            <div class="line-who">
                <Face id=other.id name=other.name.clone()/>
                <span>
                    <b>{other.name.clone()}</b>
                    <small>
                        <span role="status">{said}</span>" "<time role="timer" aria-live="off">{clock}</time>
                    </small>
                </span>
            </div>
            <Show when=move || talks.get()>
                <Sign media/>
                <div class="line-acts">
                    <button type="button" class="button mute" class:on=muted aria-pressed=move || muted.get().to_string()
                        on:click=move |_| state.ask(Ask::Mute { on: !muted.get_untracked() })>
                        {move || if muted.get() {
                            view! { <Icon of=IconName::MicrophoneOff/> }
                        } else {
                            view! { <Icon of=IconName::Microphone/> }
                        }}
                        <span>{move || if muted.get() { w.muted } else { w.mute }}</span>
                    </button>
                    <Show when=move || holds.get()><Talk media/></Show>
                    <Volume setting=settings::CALL_VOLUME label=w.volume/>
                    <Meters/>
                </div>
            </Show>
            {move || (!over.get()).then(|| view! {
                <Button label=w.hang_up look=ButtonStyle::Danger icon=IconName::PhoneDown on_press=hang_up/>
            })}
            {move || troubles.get().into_iter().map(|(text, why)| view! {
                <p class="line-trouble" role="alert">
                    <Icon of=IconName::Alarm/><span>{text}" "<small>{why}</small></span>
                </p>
            }).collect_view()}
        </section>
    })
}

/// The connection quality as bars and a word, and whether the call is relayed by the server. Its space is reserved
/// before the quality is known.
#[component]
fn Sign(media: Memo<Option<Media>>) -> impl IntoView {
    let known = Memo::new(move |_| media.with(|media| media.as_ref().and_then(|it| Some((sign(it.quality)?, it.way)))));
    let class = move || known.get().map_or("line-sign".to_owned(), |((class, _), _)| format!("line-sign {class}"));
    let said = move || {
        known.get().map(|((_, word), way)| {
            let over =
                (way == MediaPath::Server).then(|| view! { <span>{format!("· {}", words().calls.over_server)}</span> });
            view! {
                <i aria-hidden="true"><i></i><i></i><i></i></i>
                <span>{word}</span>
                {over}
            }
        })
    };
    view! { <p class=class>{said}</p> }
}

/// The current audio levels of both sides. They are hidden from screen readers, which would announce nothing else.
#[component]
fn Meters() -> impl IntoView {
    let state = state();
    let w = &words().calls;
    let mine = move || state.levels.with(|levels| levels.microphone).to_string();
    let theirs = move || state.levels.with(|levels| levels.speaker).to_string();
    view! {
        <div class="line-meters" aria-hidden="true">
            <span title=w.microphone_level>
                <Icon of=IconName::Microphone/><progress max="100" value=mine></progress>
            </span>
            <span title=w.speaker_level><Icon of=IconName::Guest/><progress max="100" value=theirs></progress></span>
        </div>
    }
}

/// The state of the call in words.
fn said(phone: &Phone, call: &Call, pending: bool) -> String {
    let w = &words().calls;
    match &call.state {
        CallState::Ended { outcome: outcome @ Outcome::Missed { .. }, .. } => {
            format!("{} · {}", names::outcome(*outcome), w.they_will_see)
        }
        CallState::Ended { .. } => how(call),
        CallState::Ringing if pending => w.calling.to_owned(),
        CallState::Ringing => w.ringing.to_owned(),
        CallState::Ongoing { .. } if phone.other_away => w.other_away.to_owned(),
        CallState::Ongoing { .. } if !is_connected(phone) => w.connecting.to_owned(),
        CallState::Ongoing { .. } => String::new(),
    }
}

/// Whether a media path is established.
fn is_connected(phone: &Phone) -> bool {
    phone.media.as_ref().is_some_and(|media| media.way != MediaPath::None)
}

fn answered(call: &Call) -> Option<Timestamp> {
    match &call.state {
        CallState::Ongoing { answered_at, .. } => Some(*answered_at),
        CallState::Ringing | CallState::Ended { .. } => None,
    }
}

/// The CSS class and the word for a quality, if it is known.
fn sign(quality: Quality) -> Option<(&'static str, Text)> {
    let w = &words().calls;
    match quality {
        Quality::Unknown => None,
        Quality::Good => Some(("good", w.quality_good)),
        Quality::Fair => Some(("fair", w.quality_fair)),
        Quality::Poor => Some(("poor", w.quality_poor)),
    }
}

/// The faults of the device's audio, with the system's messages.
fn troubles(media: &Media) -> Vec<(Text, String)> {
    let w = &words().calls;
    let microphone = media.microphone_trouble.clone().map(|why| (w.no_microphone, why));
    let speaker = media.speaker_trouble.clone().map(|why| (w.no_speaker, why));
    microphone.into_iter().chain(speaker).collect()
}

#[cfg(test)]
mod tests {
    use crewbell_shared::call::Why;
    use crewbell_shared::testing::{at, ringing_call};

    use super::*;

    fn talking(way: MediaPath) -> Phone {
        let call = ringing_call(at(0));
        let media = Media {
            call_id: call.id,
            way,
            quality: Quality::Unknown,
            silent_ms: None,
            muted: false,
            push_to_talk: None,
            microphone_trouble: None,
            speaker_trouble: None,
        };
        let task = Task::Talk { call_id: call.id, peer: None, offers: true };
        Phone { task, media: Some(media), other_away: false }
    }

    fn ongoing() -> Call {
        let state = CallState::Ongoing { answered_at: at(5), callee_endpoint: None };
        Call { state, ..ringing_call(at(0)) }
    }

    #[test]
    fn a_call_says_how_far_it_is() {
        let call = ringing_call(at(0));
        let ring_back = Phone { task: Task::RingBack { call_id: call.id }, ..Phone::default() };
        assert_eq!(said(&ring_back, &call, true), "Calling …");
        assert_eq!(said(&ring_back, &call, false), "Ringing …");
        assert_eq!(said(&talking(MediaPath::None), &ongoing(), false), "Connecting …");
        assert_eq!(said(&talking(MediaPath::Direct), &ongoing(), false), "");
        let lost = Phone { other_away: true, ..talking(MediaPath::Direct) };
        assert_eq!(said(&lost, &ongoing(), false), "Connection lost at the other end");
    }

    #[test]
    fn who_called_in_vain_is_told_why_and_that_it_is_not_lost() {
        let outcome = Outcome::Missed { why: Why::Busy };
        let state = CallState::Ended { answered_at: None, ended_at: at(9), ended_by: None, outcome, duration_s: 0 };
        let call = Call { state, ..ringing_call(at(0)) };
        let over = Phone { task: Task::Over { call_id: call.id }, ..Phone::default() };
        assert_eq!(said(&over, &call, false), "Busy · They will see that you called.");
    }

    #[test]
    fn who_can_not_be_heard_is_told_so_with_the_system_s_words() {
        let media = Media { microphone_trouble: Some("no device".into()), ..talking(MediaPath::Direct).media.unwrap() };
        assert_eq!(troubles(&media), [(words().calls.no_microphone, "no device".to_owned())]);
    }
}
