//! The sign-in step for the server: its address is typed, or read from another device's QR code.

use crewbell_core::screen::{Ask, AskError, ServerInfo};
use leptos::html;
use leptos::prelude::*;

use super::secret::trouble;
use crate::bridge::page;
use crate::components::{Field, Icon, IconName};
use crate::locales::words;
use crate::state::state;

/// A field for the address, or for a picture of its QR code.
#[component]
pub fn Server(#[prop(into)] on_found: Callback<ServerInfo>) -> impl IntoView {
    let state = state();
    let w = &words().sign_in;
    let address = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let find = move || {
        let text = address.get_untracked().trim().to_owned();
        if text.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        wrong.set(None);
        state.ask_or(Ask::FindServer { address: text }, move |found| {
            busy.try_set(false);
            match found {
                Ok(found) => on_found.run(found),
                Err(error) => drop(wrong.try_set(Some(trouble(&error)))),
            }
        });
    };
    let read = move |picture: String| {
        state.ask_or(Ask::ReadCode { picture }, move |text: Result<String, AskError>| match text {
            Ok(text) => {
                address.try_set(text);
                find();
            }
            Err(_) => drop(wrong.try_set(Some(words().sign_in.no_code.to_owned()))),
        });
    };
    let chooser = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        if let Some(input) = chooser.get_untracked() {
            page::read_chosen(&input, read);
            // Clears the input, so that the same picture can be chosen again.
            input.set_value("");
        }
    };
    view! {
        <p class="welcome">{w.welcome}</p>
        <form class="sign-in-form" on:submit=move |event| {
            event.prevent_default();
            find();
        }>
            <Field label=w.server hint=w.server_hint value=address keys="url" wrong/>
            <div class="acts">
                <button type="submit" class="button go" disabled=busy>
                    {move || if busy.get() { w.looking } else { w.connect }}
                </button>
            </div>
        </form>
        <div class="scan">
            <label class="button">
                <Icon of=IconName::Camera/>
                <span>{w.scan}</span>
                <input class="for-ears" type="file" accept="image/*" capture="environment" node_ref=chooser
                    on:change=chosen/>
            </label>
            <small>{w.scan_hint}</small>
        </div>
    }
}
