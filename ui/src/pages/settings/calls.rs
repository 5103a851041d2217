//! Audio settings for calls: microphone, speaker, volume, push to talk.

use crewbell_core::screen::{Ask, AskError, AudioDevices, settings};
use leptos::prelude::*;

use super::Part;
use crate::components::{IconName, Select, Switch, Volume};
use crate::locales::{Text, fill, refusals, words};
use crate::state::{AppState, state};

/// The audio settings for calls. The list of devices is requested when the page opens.
#[component]
pub fn Calls() -> impl IntoView {
    let state = state();
    let w = &words().calls;
    let devices = RwSignal::new(AudioDevices::default());
    let wrong = RwSignal::new(None::<String>);
    state.ask_or(Ask::AudioDevices, move |answer: Result<AudioDevices, AskError>| match answer {
        Ok(found) => drop(devices.try_set(found)),
        Err(error) => drop(wrong.try_set(Some(refusals::ask_error(&error)))),
    });
    let microphones = Signal::derive(move || devices.with(|devices| devices.microphones.clone()));
    let speakers = Signal::derive(move || devices.with(|devices| devices.speakers.clone()));
    let push = Memo::new(move |_| state.setting(settings::PUSH_TO_TALK).as_deref() == Some("on"));
    let set_push = move |on: bool| state.set(settings::PUSH_TO_TALK, on.then(|| "on".to_owned()));
    view! {
        <Part title=w.title icon=IconName::Phone>
            <Device setting=settings::MICROPHONE label=w.microphone found=microphones/>
            <Device setting=settings::SPEAKER label=w.speaker found=speakers/>
            <p class="wrong" role="alert">{wrong}</p>
            <Volume setting=settings::CALL_VOLUME label=w.volume hint=words().settings.volume_hint/>
            <div>
                <Switch label=w.push_to_talk on=push on_switch=set_push/>
                <p class="hint">{w.push_to_talk_hint}</p>
            </div>
        </Part>
    }
}

/// The choice of an audio device, or of the system's default.
#[component]
fn Device(setting: &'static str, label: Text, found: Signal<Vec<String>>) -> impl IntoView {
    let state = state();
    let value = RwSignal::new(chosen(state, setting));
    let kept = Memo::new(move |_| chosen(state, setting));
    Effect::new(move || value.set(kept.get()));
    Effect::watch(
        move || value.get(),
        move |value, _, _| {
            if *value != kept.get_untracked() {
                state.set(setting, Some(value.clone()).filter(|name| !name.is_empty()));
            }
        },
        false,
    );
    let options = Signal::derive(move || found.with(|found| options(found, &kept.get())));
    view! { <Select label value options/> }
}

/// The device that is set; empty for the system's default.
fn chosen(state: AppState, setting: &str) -> String {
    state.setting(setting).unwrap_or_default()
}

/// The options. A chosen device stays in the list while it is unplugged.
fn options(found: &[String], chosen: &str) -> Vec<(String, String)> {
    let w = &words().calls;
    let auto = (String::new(), w.device_auto.to_owned());
    let gone = (!chosen.is_empty() && found.iter().all(|name| name != chosen))
        .then(|| (chosen.to_owned(), fill(w.device_gone, &[("name", chosen)])));
    let found = found.iter().map(|name| (name.clone(), name.clone()));
    std::iter::once(auto).chain(found).chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headset_that_is_unplugged_stays_chosen_and_is_said_to_be_gone() {
        let found = ["Built-in".to_owned()];
        let shown = |chosen| options(&found, chosen).into_iter().map(|(_, shown)| shown).collect::<Vec<_>>();
        assert_eq!(shown(""), ["The system's choice", "Built-in"]);
        assert_eq!(shown("Built-in"), ["The system's choice", "Built-in"]);
        assert_eq!(shown("Headset"), ["The system's choice", "Built-in", "Headset (not there)"]);
    }
}
