//! Whether and how loud this device rings, and whether it can.

use std::time::Duration;

use crewbell_core::screen::{Ask, AskError, settings};
use crewbell_shared::request::Priority;
use leptos::prelude::*;

use super::Part;
use crate::components::{Button, Confirm, Icon, Picture, Switch};
use crate::locales::{Text, fill, names, refusals, words};
use crate::state::state;

/// How often the volume is set while it moves: as often as it is heard, and seldom enough to be kept on a disk.
const MOVED: Duration = Duration::from_millis(100);

/// The sounds, the loudest first.
const PRIORITIES: [Priority; 4] = [Priority::Emergency, Priority::High, Priority::Normal, Priority::Low];

/// Whether and how loud this device rings.
#[component]
pub fn Sounds() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let on = Memo::new(move |_| settings::sounds_on(state.setting(settings::SOUNDS).as_deref()));
    let asks = RwSignal::new(false);
    // To silence an alarm is asked about; to let it ring is not.
    let switch = move |on: bool| if on { state.set(settings::SOUNDS, None) } else { asks.set(true) };
    let silence = move || {
        asks.set(false);
        state.set(settings::SOUNDS, Some("off".to_owned()));
    };
    view! {
        <Part title=w.sounds icon=Picture::Sound>
            <Switch label=w.sounds_on on on_switch=switch/>
            <Show when=move || on.get()
                fallback=|| view! {
                    <p class="consequence"><Icon of=Picture::SoundOff/><span>{words().settings.sounds_off_text}</span></p>
                }>
                <p class="hint">{w.sounds_on_text}</p>
                <Volume setting=settings::VOLUME label=w.volume hint=w.volume_hint/>
            </Show>
            <Test/>
            <Show when=move || asks.get()>
                <Confirm title=w.sounds_off_title text=w.sounds_off_text label=w.sounds_off_yes
                    on_yes=silence on_no=move || asks.set(false)/>
            </Show>
        </Part>
    }
}

/// How loud something is: a setting in percent. It is heard while the finger moves.
#[component]
pub fn Volume(setting: &'static str, label: Text, hint: Text) -> impl IntoView {
    let state = state();
    let hint_id = format!("{setting}-hint");
    let kept = Memo::new(move |_| settings::volume(state.setting(setting).as_deref()));
    let shown = RwSignal::new(kept.get_untracked());
    let held = StoredValue::new(false);
    // What the core says of a moment ago doesn't pull the slider from under the finger.
    Effect::new(move || {
        let kept = kept.get();
        if !held.get_value() {
            shown.set(kept);
        }
    });
    let send = move || {
        if let Some(percent) = shown.try_get_untracked() {
            state.set(setting, Some(percent.to_string()));
        }
    };
    let waits = StoredValue::new(false);
    let send_soon = move || {
        if !waits.get_value() {
            waits.set_value(true);
            set_timeout(
                move || {
                    waits.try_update_value(|waits| *waits = false);
                    send();
                },
                MOVED,
            );
        }
    };
    let percent = move || format!("{} %", shown.get());
    view! {
        <div class="field volume">
            <label for=setting>{label}<output for=setting>{percent}</output></label>
            <input id=setting type="range" min=settings::LEAST_VOLUME max="100" step="5" aria-describedby=hint_id.clone()
                aria-valuetext=percent prop:value=move || shown.get().to_string()
                on:input:target=move |event| {
                    held.set_value(true);
                    shown.set(settings::volume(Some(&event.target().value())));
                    send_soon();
                }
                on:change=move |_| {
                    held.set_value(false);
                    send();
                }/>
            <small id=hint_id>{hint}</small>
        </div>
    }
}

/// The sound of each priority, once, with what came of it in words.
#[component]
fn Test() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let said = RwSignal::new(None::<Result<String, String>>);
    let play = move |priority: Priority| {
        state.ask_or(Ask::TestSound { priority }, move |answer: Result<(), AskError>| {
            said.try_set(Some(answer.map(|()| played(priority)).map_err(|error| failed(&error))));
        });
    };
    let one = move |priority: Priority| {
        let what = names::priority(priority);
        view! {
            <Button label=what icon=Picture::Play name=fill(w.test_name, &[("what", what)])
                on_press=move || play(priority)/>
        }
    };
    let good = move || said.get().and_then(Result::ok);
    let bad = move || said.get().and_then(Result::err);
    view! {
        <div class="sound-test">
            <h3>{w.test}</h3>
            <p class="hint">{w.test_text}</p>
            <div class="acts">{PRIORITIES.map(one)}</div>
            <p class="hint" role="status">{good}</p>
            <p class="wrong" role="alert">{bad}</p>
        </div>
    }
}

fn played(priority: Priority) -> String {
    fill(words().settings.test_played, &[("what", names::priority(priority))])
}

/// Why it can't sound: what the system says, where it says something.
fn failed(error: &AskError) -> String {
    let why = refusals::system_words(error).unwrap_or_else(|| refusals::ask_error(error));
    fill(words().settings.test_failed, &[("why", &why)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_not_hear_is_told_why() {
        let no_card = AskError::NotKept { why: "no sound card".into(), full: false };
        assert_eq!(failed(&no_card), "This device can't sound: no sound card");
        let refused = AskError::refused(crewbell_shared::Code::Unavailable, "");
        assert_eq!(failed(&refused), "This device can't sound: The server can't do it at the moment.");
    }
}
