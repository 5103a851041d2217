//! The root component of the app.

use crewbell_core::screen::settings;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::bridge::{self, page};
use crate::components::Sprite;
use crate::frame::Frame;
use crate::locales::{Language, speak};
use crate::pages::sign_in::SignIn;
use crate::state::AppState;

/// Interval of the clock tick that updates displayed ages.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);

/// The root component. It renders again when the language changes or the person signs in or out.
#[component]
pub fn App() -> impl IntoView {
    let state = AppState::new();
    provide_context(state);
    state.start();
    page::once_drawn(|| spawn_local(bridge::hello()));
    page::while_seen(TICK, move || state.tick());

    let language = Memo::new(move |_| {
        let chosen = state.setting(settings::LANGUAGE).unwrap_or_else(page::preferred_language);
        Language::of_tag(&chosen)
    });
    Effect::new(move || {
        page::mark_root("data-theme", &state.setting(settings::THEME).unwrap_or_else(|| "auto".to_owned()));
        page::mark_root("data-text", &state.setting(settings::TEXT_SIZE).unwrap_or_default());
    });
    let signed_in = Memo::new(move |_| state.session.with(Option::is_some));
    let shown = move || {
        let language = language.get();
        speak(language);
        page::mark_root("lang", language.code());
        match (state.started.get(), signed_in.get()) {
            (false, _) => ().into_any(),
            (true, false) => view! { <SignIn/> }.into_any(),
            (true, true) => view! { <Frame/> }.into_any(),
        }
    };
    view! {
        <Sprite/>
        {shown}
    }
}
