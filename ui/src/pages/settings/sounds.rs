//! Sound settings: whether and how loud this device rings, and whether it can.

use crewbell_core::screen::{Ask, AskError, settings};
use crewbell_shared::request::Priority;
use leptos::prelude::*;

use super::Part;
use crate::components::{Button, Confirm, Icon, IconName, Switch, Volume};
use crate::locales::{fill, names, refusals, words};
use crate::state::state;

/// The priorities, by loudness of their sound.
const PRIORITIES: [Priority; 4] = [Priority::Emergency, Priority::High, Priority::Normal, Priority::Low];

/// The sound settings.
#[component]
pub fn Sounds() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let on = Memo::new(move |_| settings::sounds_on(state.setting(settings::SOUNDS).as_deref()));
    let asks = RwSignal::new(false);
    // Silencing alarms needs a confirmation; enabling them doesn't.
    let switch = move |on: bool| if on { state.set(settings::SOUNDS, None) } else { asks.set(true) };
    let silence = move || {
        asks.set(false);
        state.set(settings::SOUNDS, Some("off".to_owned()));
    };
    view! {
        <Part title=w.sounds icon=IconName::Sound>
            <Switch label=w.sounds_on on on_switch=switch/>
            <Show when=move || on.get()
                fallback=|| view! {
                    <p class="consequence"><Icon of=IconName::SoundOff/><span>{words().settings.sounds_off_text}</span></p>
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

/// Plays the sound of a priority once and shows the result in words.
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
            <Button label=what icon=IconName::Play name=fill(w.test_name, &[("what", what)])
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

/// Why no sound can be played: the system's message, if there is one.
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
