//! A choice of few, all of them in sight: the keyboard's arrows move in it, as the platform's own do.

use leptos::prelude::*;

use crate::bridge::ids::new_id;

/// One of a few, with a label. Each is a value and what is shown for it.
#[component]
pub fn Choice(
    /// What it is.
    #[prop(into)]
    label: String,
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// It is chosen.
    #[prop(into)]
    on_choose: Callback<String>,
    /// What there is.
    options: Vec<(String, String)>,
) -> impl IntoView {
    let group = new_id::<uuid::Uuid>().to_string();
    let each = options.into_iter().map(|(option, shown)| {
        let is_chosen = {
            let option = option.clone();
            move || value.with(|value| *value == option)
        };
        view! {
            <label class="choose-one">
                <input type="radio" name=group.clone() prop:checked=is_chosen
                    on:change=move |_| on_choose.run(option.clone())/>
                <span>{shown}</span>
            </label>
        }
    });
    let each = each.collect_view();
    view! {
        <fieldset class="choose">
            <legend>{label}</legend>
            <div class="choose-all">{each}</div>
        </fieldset>
    }
}
