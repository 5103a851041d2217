//! A keypad for entering a PIN, on the screen and by the keyboard.

use leptos::prelude::*;

use super::{Icon, IconName};
use crate::locales::words;

/// Maximum number of digits of a PIN; longer secrets are entered as a password.
const MOST: usize = 12;

/// A keypad. Keyboard input works while it has the focus, which it takes when it appears.
#[component]
pub fn PinPad(
    /// The digits.
    value: RwSignal<String>,
    /// Called when the person confirms the PIN.
    #[prop(into)]
    on_done: Callback<()>,
    /// Whether the PIN is being checked.
    #[prop(into)]
    busy: Signal<bool>,
) -> impl IntoView {
    let type_digit = move |digit: char| {
        value.update(|value| {
            if value.len() < MOST {
                value.push(digit);
            }
        });
    };
    let erase = move || {
        value.update(|value| {
            value.pop();
        });
    };
    let on_key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            on_done.run(());
        }
        "Backspace" => erase(),
        key => key.chars().filter(|digit| key.len() == 1 && digit.is_ascii_digit()).for_each(type_digit),
    };
    let typed = move || {
        let count = value.with(|value| value.chars().count());
        (0..count.max(4)).map(|place| view! { <i class:full=place < count></i> }).collect_view()
    };
    let digit = move |digit: char| {
        view! { <button type="button" class="pin-key" on:click=move |_| type_digit(digit)>{digit}</button> }
    };
    let pad = NodeRef::<leptos::html::Div>::new();
    Effect::new(move || drop(pad.get().map(|pad| pad.focus())));
    view! {
        <div class="pin" tabindex="0" role="group" aria-label=words().sign_in.pin on:keydown=on_key node_ref=pad>
            <div class="pin-typed" aria-hidden="true">{typed}</div>
            <div class="pin-keys">
                {"123456789".chars().map(digit).collect_view()}
                <button type="button" class="pin-key quiet" aria-label=words().sign_in.erase on:click=move |_| erase()>
                    <Icon of=IconName::Erase/>
                </button>
                {digit('0')}
                <button type="button" class="pin-key go" aria-label=words().sign_in.title disabled=busy
                    on:click=move |_| on_done.run(())>
                    <Icon of=IconName::Check/>
                </button>
            </div>
        </div>
    }
}
