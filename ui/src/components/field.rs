//! Form fields: labelled, with the validation error beneath.

use leptos::prelude::*;

use super::{Icon, IconName};
use crate::bridge::ids::new_id;
use crate::locales::words;

fn element_id() -> String {
    new_id::<uuid::Uuid>().to_string()
}

/// A labelled text field.
#[component]
pub fn Field(
    /// The label.
    #[prop(into)]
    label: String,
    /// The text.
    value: RwSignal<String>,
    /// The input type: `text`, `password`, `url`, `search`, `number`, `date`.
    #[prop(optional, into)]
    kind: Option<&'static str>,
    /// A hint beneath the field, such as an example.
    #[prop(optional, into)]
    hint: Option<String>,
    /// The validation error.
    #[prop(optional, into)]
    wrong: Signal<Option<String>>,
    /// The on-screen keyboard (`inputmode`): `numeric`, `url`.
    #[prop(optional, into)]
    keys: Option<&'static str>,
    /// Whether it has several lines.
    #[prop(optional)]
    long: bool,
) -> impl IntoView {
    let id = element_id();
    let (hint_id, wrong_id) = (format!("{id}-hint"), format!("{id}-wrong"));
    let about = format!("{hint_id} {wrong_id}");
    let is_wrong = move || wrong.with(|wrong| wrong.is_some().to_string());
    let input = if long {
        view! {
            <textarea id=id.clone() rows="3" aria-describedby=about aria-invalid=is_wrong prop:value=value
                on:input:target=move |event| value.set(event.target().value())></textarea>
        }
        .into_any()
    } else {
        view! {
            <input id=id.clone() type=kind.unwrap_or("text") inputmode=keys aria-describedby=about
                aria-invalid=is_wrong autocomplete="off" autocapitalize="off" spellcheck="false" prop:value=value
                on:input:target=move |event| value.set(event.target().value())/>
        }
        .into_any()
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            {input}
            <small id=hint_id>{hint}</small>
            <small id=wrong_id class="wrong" role="alert">{wrong}</small>
        </div>
    }
}

/// A labelled drop-down list. An option is a value and its text.
#[component]
pub fn Select(
    /// The label.
    #[prop(into)]
    label: String,
    /// The selected value.
    value: RwSignal<String>,
    /// The options.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let id = element_id();
    let each = move || {
        let chosen = value.get();
        let option = |(value, shown): (String, String)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{shown}</option> }
        };
        options.get().into_iter().map(option).collect_view()
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select id=id prop:value=value on:change:target=move |event| value.set(event.target().value())>
                {each}
            </select>
        </div>
    }
}

/// A search field.
#[component]
pub fn Search(
    /// The search text.
    value: RwSignal<String>,
    /// The accessible name, which says what is searched; "Search" by default.
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    let name = name.unwrap_or_else(|| words().common.search.to_owned());
    view! {
        <label class="search">
            <Icon of=IconName::Search/>
            <input type="search" id="search" placeholder=name.clone() aria-label=name prop:value=value
                on:input:target=move |event| value.set(event.target().value())/>
        </label>
    }
}

/// A labelled on/off switch.
#[component]
pub fn Switch(
    /// The label.
    #[prop(into)]
    label: String,
    /// Whether it is on.
    #[prop(into)]
    on: Signal<bool>,
    /// Called with the new state.
    #[prop(into)]
    on_switch: Callback<bool>,
    /// The accessible name, where the label alone isn't clear: "Sam on duty".
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    let said = move || if on.get() { words().common.on } else { words().common.off };
    view! {
        <button type="button" class="switch" role="switch" aria-label=name aria-checked=move || on.get().to_string()
            on:click=move |_| on_switch.run(!on.get_untracked())>
            <span class="switch-label">{label}</span>
            <span class="switch-track"><i></i></span>
            <span class="switch-word" aria-hidden="true">{said}</span>
        </button>
    }
}
