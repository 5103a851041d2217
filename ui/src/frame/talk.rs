//! Push to talk: the microphone is open while the button or the space bar is held.

use crewbell_core::screen::{Ask, Media};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use crate::bridge::page;
use crate::components::{Icon, IconName};
use crate::locales::words;
use crate::state::state;

/// The push-to-talk button. It stays held when the finger slides off; the end of the call and the loss of window focus
/// release it.
#[component]
pub fn Talk(media: Memo<Option<Media>>) -> impl IntoView {
    let state = state();
    let w = &words().calls;
    let heard = Memo::new(move |_| media.with(|media| media.as_ref().and_then(|it| it.push_to_talk) == Some(true)));
    let holds = StoredValue::new(false);
    let hold = move |held: bool| {
        if holds.try_get_value() == Some(!held) {
            holds.set_value(held);
            state.ask(Ask::Talk { held });
        }
    };
    let on_space = move |event: &KeyboardEvent| {
        let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
        if event.key() != " " || page::takes_space() || modified {
            return;
        }
        // The space bar talks and must not press a focused button.
        event.prevent_default();
        event.stop_propagation();
        hold(event.type_() == "keydown");
    };
    let keys = StoredValue::new_local(Some(page::on_keys(on_space)));
    let left = window_event_listener(leptos::ev::blur, move |_| hold(false));
    on_cleanup(move || {
        left.remove();
        if let Some(stop) = keys.try_update_value(Option::take).flatten() {
            stop();
        }
        hold(false);
    });
    let press = move |event: PointerEvent| {
        event.prevent_default();
        page::hold_pointer(&event);
        hold(true);
    };
    view! {
        <button type="button" class="button talk" class:on=heard aria-pressed=move || heard.get().to_string()
            title=w.talk_key on:pointerdown=press on:pointerup=move |_| hold(false)
            on:pointercancel=move |_| hold(false) on:lostpointercapture=move |_| hold(false)
            on:contextmenu=|event| event.prevent_default()>
            <Icon of=IconName::Microphone/>
            <span>{move || if heard.get() { w.talking } else { w.talk }}</span>
        </button>
    }
}
