//! The link that brings another device to this server, and its code.

use crewbell_core::screen::Ask;
use leptos::prelude::*;

use super::Part;
use crate::bridge::page;
use crate::components::{Button, Picture};
use crate::locales::{fill, words};
use crate::state::state;

/// The code for another device.
#[component]
pub fn AddDevice() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let code = RwSignal::new(None::<(String, String)>);
    let show = move || {
        state.ask_and(Ask::JoinCode, move |answer: (String, String)| {
            code.try_set(Some(answer));
        });
    };
    let shown = move || {
        code.get().map(|(link, svg)| {
            // As a picture and not as a part of the page: whatever is drawn in it, nothing in it can act.
            let source = format!("data:image/svg+xml,{}", page::escaped(&svg));
            let name = fill(w.qr_name, &[("link", &link)]);
            view! {
                <figure class="join">
                    <img src=source alt=name/>
                    <figcaption><code>{link}</code></figcaption>
                </figure>
            }
        })
    };
    view! {
        <Part title=w.add_device icon=Picture::Plus>
            <p class="hint">{w.add_device_text}</p>
            {shown}
            <Show when=move || code.with(Option::is_none)>
                <div class="acts"><Button label=w.add_device_show on_press=show/></div>
            </Show>
        </Part>
    }
}
