//! The sign-in step for the person and their PIN or password.

use crewbell_core::screen::{Ask, AskError};
use leptos::prelude::*;

use super::Place;
use crate::components::{Button, ButtonStyle, Field, PinPad};
use crate::locales::{fill, refusals, words};
use crate::state::state;

/// A name, of the last person or typed, and a PIN or password.
#[component]
pub fn Secret(
    place: Place,
    /// The site's name.
    called: Signal<String>,
) -> impl IntoView {
    let state = state();
    let w = &words().sign_in;
    let name = RwSignal::new(place.last.clone().unwrap_or_default());
    let known = RwSignal::new(place.last.is_some());
    let secret = RwSignal::new(String::new());
    let plain = place.server.starts_with("http://");
    let typed = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(None::<String>);
    let title = move || {
        let (who, site) = (name.get(), called.get());
        if known.get() { fill(w.person_at, &[("who", &who), ("site", &site)]) } else { site }
    };
    let sign_in = move || {
        let (who, what) = (name.get_untracked().trim().to_owned(), secret.get_untracked());
        let missing = if who.is_empty() {
            Some(w.name_needed)
        } else if what.is_empty() {
            Some(w.secret_needed)
        } else {
            None
        };
        wrong.set(missing.map(str::to_owned));
        if missing.is_some() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        let ask = Ask::SignIn { server: place.server.clone(), site: place.site.slug.clone(), name: who, secret: what };
        // On success the core emits an event that reloads everything.
        state.ask_or(ask, move |answer: Result<(), AskError>| {
            busy.try_set(false);
            if let Err(error) = answer {
                secret.try_set(String::new());
                wrong.try_set(Some(trouble(&error)));
            }
        });
    };
    let sign_in = Callback::new(move |()| sign_in());
    let someone_else = move || {
        known.set(false);
        name.set(String::new());
        secret.set(String::new());
        wrong.set(None);
    };
    view! {
        <h2 class="who">{title}</h2>
        <Show when=move || plain><p class="plain" role="note">{w.not_encrypted}</p></Show>
        <Show when=move || !known.get()><Field label=w.name value=name/></Show>
        {move || if typed.get() {
            view! {
                <form class="sign-in-form" on:submit=move |event| {
                    event.prevent_default();
                    sign_in.run(());
                }>
                    <Field label=w.password value=secret kind="password"/>
                    <div class="acts"><button type="submit" class="button go" disabled=busy>{w.title}</button></div>
                </form>
            }.into_any()
        } else {
            view! { <PinPad value=secret on_done=sign_in busy/> }.into_any()
        }}
        <p class="wrong" role="alert">{move || if busy.get() { Some(w.trying.to_owned()) } else { wrong.get() }}</p>
        <div class="acts center">
            <Button label=Signal::derive(move || if typed.get() { w.use_pin } else { w.use_password }.to_owned())
                look=ButtonStyle::Quiet on_press=move || {
                    secret.set(String::new());
                    typed.update(|typed| *typed = !*typed);
                }/>
            <Show when=move || known.get()>
                <Button label=w.someone_else look=ButtonStyle::Quiet on_press=someone_else/>
            </Show>
        </div>
    }
}

/// The error of a sign-in attempt, in words.
pub fn trouble(error: &AskError) -> String {
    match error {
        AskError::Offline { .. } => words().sign_in.no_connection.to_owned(),
        AskError::Refused { .. }
        | AskError::NotKept { .. }
        | AskError::AlreadyRunning
        | AskError::Unreadable { .. }
        | AskError::NotCrewbell { .. } => refusals::ask_error(error),
    }
}
