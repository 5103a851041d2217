//! The guest's voice message: a player, and the transcript if there is one.

use crewbell_core::screen::Ask;
use crewbell_shared::ids::RequestId;
use crewbell_shared::request::Voice;
use leptos::prelude::*;

use crate::components::{Button, IconName};
use crate::locales::{fill, refusals, time, words};
use crate::state::state;

/// The player for all voice recordings of a request, oldest first.
#[component]
pub fn VoiceMessage(id: RequestId, voice: Voice) -> impl IntoView {
    let duration = voice.whole_ms();
    let state = state();
    let w = &words().request;
    let player = Memo::new(move |_| state.voice.get().filter(|player| player.request_id == id));
    let playing = Memo::new(move |_| player.with(|player| player.as_ref().is_some_and(|player| player.playing)));
    let progress = move || {
        let (at, of) = player.with(|player| {
            player.as_ref().map_or((0, duration), |player| (player.position_ms, player.duration_ms.max(1)))
        });
        format!("{} / {}", time::age(i64::from(at / 1000)), time::age(i64::from(of.div_ceil(1000))))
    };
    let trouble = move || {
        let code = player.with(|player| player.as_ref().and_then(|player| player.trouble))?;
        let why = refusals::refusal(&crewbell_shared::Refusal::new(code, String::new()));
        Some(fill(words().request.cant_play, &[("why", &why)]))
    };
    let at = move || player.with(|player| player.as_ref().map_or(0, |player| player.position_ms)).to_string();
    let of =
        move || player.with(|player| player.as_ref().map_or(duration, |player| player.duration_ms)).max(1).to_string();
    let there = voice.is_recorded();
    let said = move || voice.transcripts().map(|text| fill(w.said, &[("text", text)])).collect::<Vec<_>>();
    view! {
        <section class="voice">
            <div class="player">
                <Show when=move || there fallback=|| view! { <p>{words().request.no_recording}</p> }>
                    {move || if playing.get() {
                        view! { <Button label=w.stop icon=IconName::Stop on_press=move || state.ask(Ask::StopVoice)/> }
                    } else {
                        view! {
                            <Button label=w.play icon=IconName::Play
                                on_press=move || state.ask(Ask::PlayVoice { request_id: id })/>
                        }
                    }}
                    <progress value=at max=of aria-label=w.play></progress>
                    <time>{progress}</time>
                </Show>
            </div>
            <p class="wrong" role="alert">{trouble}</p>
            {said().into_iter().map(|text| view! { <blockquote>{text}</blockquote> }).collect_view()}
        </section>
    }
}
