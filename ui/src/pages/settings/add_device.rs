//! The link that connects another device to this server, and its QR code.

use crewbell_core::screen::Ask;
use leptos::prelude::*;

use super::Part;
use crate::bridge::page;
use crate::components::{Button, IconName};
use crate::locales::{fill, words};
use crate::state::state;

/// The QR code for another device.
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
            // The SVG is embedded as an image and not inline, so that nothing in it can run scripts.
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
        <Part title=w.add_device icon=IconName::Plus>
            <p class="hint">{w.add_device_text}</p>
            {shown}
            <Show when=move || code.with(Option::is_none)>
                <div class="acts"><Button label=w.add_device_show on_press=show/></div>
            </Show>
        </Part>
    }
}
