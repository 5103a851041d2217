//! What is typed and chosen: labelled, with what is wrong beneath.

use leptos::prelude::*;

use super::{Icon, Picture};
use crate::bridge::ids::new_id;
use crate::locales::words;

fn element_id() -> String {
    new_id::<uuid::Uuid>().to_string()
}

/// A line of text, with a label.
#[component]
pub fn Field(
    /// What it is.
    #[prop(into)]
    label: String,
    /// What stands in it.
    value: RwSignal<String>,
    /// `text`, `password`, `url`, `search`, `number`, `date`.
    #[prop(optional, into)]
    kind: Option<&'static str>,
    /// How it is meant: an example.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong with it.
    #[prop(optional, into)]
    wrong: Signal<Option<String>>,
    /// Which keyboard is shown: `numeric`, `url`.
    #[prop(optional, into)]
    keys: Option<&'static str>,
    /// Several lines of text.
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

/// One of several, with a label. Each is a value and what is shown for it.
#[component]
pub fn Select(
    /// What it is.
    #[prop(into)]
    label: String,
    /// The value that is chosen.
    value: RwSignal<String>,
    /// What there is.
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

/// Words to look for.
#[component]
pub fn Search(
    /// The words.
    value: RwSignal<String>,
    /// What is looked through, for screen readers; "Search" when not given.
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    let name = name.unwrap_or_else(|| words().common.search.to_owned());
    view! {
        <label class="search">
            <Icon of=Picture::Search/>
            <input type="search" id="search" placeholder=name.clone() aria-label=name prop:value=value
                on:input:target=move |event| value.set(event.target().value())/>
        </label>
    }
}

/// Something that is on or off.
#[component]
pub fn Switch(
    /// What it is.
    #[prop(into)]
    label: String,
    /// Whether it is on.
    #[prop(into)]
    on: Signal<bool>,
    /// It is switched: to on, or off.
    #[prop(into)]
    on_switch: Callback<bool>,
    /// What a screen reader says instead of the label, where that alone doesn't tell: "Sam on duty".
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
