//! Appearance settings: language, colours, text size.

use crewbell_core::screen::settings;
use leptos::prelude::*;

use super::Part;
use crate::components::{Choice, IconName, Select};
use crate::locales::{Language, words};
use crate::state::state;

/// The settings for language, colours and text size.
#[component]
pub fn ButtonStyle() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let language =
        RwSignal::new(state.settings.with_untracked(|all| all.get(settings::LANGUAGE).cloned()).unwrap_or_default());
    let device = (String::new(), w.language_auto.to_owned());
    let own = Language::ALL.map(|language| (language.code().to_owned(), language.name().to_owned()));
    let languages: Vec<_> = std::iter::once(device).chain(own).collect();
    Effect::watch(
        move || language.get(),
        move |code, _, _| state.set(settings::LANGUAGE, Some(code.clone()).filter(|code| !code.is_empty())),
        false,
    );
    let of = move |name: &'static str, usual: &'static str| {
        Signal::derive(move || state.setting(name).unwrap_or_else(|| usual.to_owned()))
    };
    let set = move |name: &'static str| move |value: String| state.set(name, Some(value));
    let each = |all: &[(&str, &str)]| {
        all.iter().map(|(value, shown)| ((*value).to_owned(), (*shown).to_owned())).collect::<Vec<_>>()
    };
    let themes =
        each(&[("auto", w.theme_auto), ("light", w.theme_light), ("dark", w.theme_dark), ("night", w.theme_night)]);
    let sizes = each(&[("normal", w.text_normal), ("large", w.text_large), ("largest", w.text_largest)]);
    view! {
        <Part title=w.look icon=IconName::Sun>
            <Select label=w.language value=language options=languages/>
            <Choice label=w.theme value=of(settings::THEME, "auto") on_choose=set(settings::THEME) options=themes/>
            <p class="hint">{w.theme_night_hint}</p>
            <Choice label=w.text_size value=of(settings::TEXT_SIZE, "normal") on_choose=set(settings::TEXT_SIZE)
                options=sizes/>
        </Part>
    }
}
