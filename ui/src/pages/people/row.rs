//! The row of one crew member in the list.

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use super::group::{Hearing, hearing};
use crate::components::{CallButton, Chip, IconButton, IconName, PersonName, Switch, Tone};
use crate::locales::{fill, names, words};
use crate::state::state;

/// The row of a crew member: name, role, devices, duty.
#[component]
pub fn PersonRow(
    /// The person.
    id: PersonId,
    /// Called to edit the person.
    on_edit: Callback<PersonId>,
) -> impl IntoView {
    let state = state();
    let Some(row) = state.people.row(id) else { return ().into_any() };
    let person = Memo::new(move |_| row.get());
    let name = Memo::new(move |_| person.with(|item| item.entity.name.clone()));
    let on = Memo::new(move |_| person.with(|item| item.entity.on_duty));
    let active = Memo::new(move |_| person.with(|item| item.entity.active));
    let pending = Memo::new(move |_| person.with(|item| item.pending));
    let is_me = Memo::new(move |_| state.my_id() == Some(id));
    let switches = move || state.may(Right::TakeOverRequests) && active.get() && !is_me.get();
    let set_duty = move |on_duty| state.act(Verb::Person(PersonVerb::SetDuty { person_id: id, on_duty }));
    view! {
        <li class="row crew" class:pending=pending>
            <PersonName id name/>
            <div class="crew-about">
                <span class="crew-role">
                    {move || person.with(|item| names::role(item.entity.role))}
                    {move || is_me.get().then(|| format!(" · {}", words().common.you))}
                </span>
                <Devices id on/>
                <Show when=move || pending.get()><small class="pending-word">{words().common.pending}</small></Show>
            </div>
            <Show when=switches>
                <Switch label=words().frame.on_duty name=fill(words().people.duty_of, &[("who", &name.get())]) on
                    on_switch=set_duty/>
            </Show>
            <CallButton id/>
            <Show when=move || state.may(Right::EditPeople)>
                <IconButton icon=IconName::Pen name=fill(words().people.edit_of, &[("who", &name.get())])
                    on_press=move || on_edit.run(id)/>
            </Show>
        </li>
    }
    .into_any()
}

/// The person's open devices, and whether they would hear a request. It is known only with a connection.
#[component]
fn Devices(
    /// The person.
    id: PersonId,
    /// Whether the person is on duty.
    on: Memo<bool>,
) -> impl IntoView {
    let state = state();
    let known = Memo::new(move |_| state.status.with(|status| status.link.is_there()));
    let devices = Memo::new(move |_| state.devices_of(id));
    let chips = move || {
        let (open, sounding) = devices.get();
        let w = &words().people;
        let warning = match hearing(on.get(), open, sounding) {
            Hearing::Fine => None,
            Hearing::Nothing => Some(w.hears_nothing.to_owned()),
            Hearing::Mute(count) => Some(w.mute.say(count)),
        };
        known.get().then(|| {
            view! {
                {(open > 0).then(|| view! { <small>{w.devices.say(open)}</small> })}
                {warning.map(|text| view! { <Chip text tone=Tone::Wait icon=IconName::SoundOff/> })}
            }
        })
    };
    view! { {chips} }
}
