//! Radio buttons for a few options, all visible. The arrow keys move between them, as in native radio groups.

use leptos::prelude::*;

use crate::bridge::ids::new_id;

/// A labelled group of radio buttons. An option is a value and its text.
#[component]
pub fn Choice(
    /// The label.
    #[prop(into)]
    label: String,
    /// The selected value.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the value that was selected.
    #[prop(into)]
    on_choose: Callback<String>,
    /// The options.
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
