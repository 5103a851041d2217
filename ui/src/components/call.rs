//! The button that calls a person.

use crewbell_shared::Refusal;
use crewbell_shared::call::About;
use crewbell_shared::ids::PersonId;
use leptos::prelude::*;

use super::{Icon, IconName};
use crate::locales::{fill, refusals, words};
use crate::state::state;

/// A button that calls a person. If no call is possible it looks disabled and gives the reason, beneath its label or
/// when pressed. It renders nothing for the signed-in person and for inactive people.
#[component]
pub fn CallButton(
    /// The person to call.
    id: PersonId,
    /// The subject of the call.
    #[prop(optional_no_strip)]
    about: Option<About>,
    /// Whether it shows the person's name; otherwise it is only an icon.
    #[prop(optional)]
    named: bool,
    /// Called after a press, when the call has been requested.
    #[prop(optional, into)]
    on_called: Option<Callback<()>>,
) -> impl IntoView {
    let state = state();
    let who = Memo::new(move |_| {
        let person = state.people.get(id)?.entity;
        (person.active && state.my_id() != Some(id)).then_some(person.name)
    });
    let label = Memo::new(move |_| fill(words().calls.call, &[("who", &who.get().unwrap_or_default())]));
    let hindrance = Memo::new(move |_| {
        let code = state.cant_call()?;
        Some(refusals::refusal(&Refusal::new(code, String::new())))
    });
    let name = move || match hindrance.get() {
        Some(why) => format!("{}: {why}", label.get()),
        None => label.get(),
    };
    let press = move || {
        state.call(id, about.clone());
        if let Some(on_called) = on_called {
            on_called.run(());
        }
    };
    let press = Callback::new(move |()| press());
    let button = move || {
        view! {
            <button type="button" class="button call" class:icon-only=!named title=name aria-label=name
                aria-disabled=move || hindrance.with(Option::is_some).to_string()
                on:click=move |event| {
                    event.stop_propagation();
                    press.run(());
                }>
                <Icon of=IconName::Phone/>
                {named.then(|| view! { <span>{label}<small>{hindrance}</small></span> })}
            </button>
        }
    };
    view! { <Show when=move || who.with(Option::is_some)>{button()}</Show> }
}
