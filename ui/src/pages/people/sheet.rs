//! The sheet that adds or changes a person and sets a new PIN.

use crewbell_core::screen::Ask;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::person::{Role, check_secret};
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use crate::bridge::ids::new_id;
use crate::components::{Button, ButtonStyle, CallButton, Field, IconName, PersonName, Select, Sheet, Switch};
use crate::locales::{fill, names, refusals, words};
use crate::state::{AppState, state};

/// The form for a person, and for their PIN once the server knows them.
#[component]
pub fn PersonSheet(
    /// The person; `None` for a new one.
    person: Option<PersonId>,
    /// Called when the sheet closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let known = person.and_then(|id| state.people.peek(id)).map(|item| item.entity);
    let added = RwSignal::new(None::<PersonId>);
    let title = match &known {
        Some(person) => fill(words().people.edit_of, &[("who", &person.name)]),
        None => words().people.add.to_owned(),
    };
    let itself = known.as_ref().is_some_and(|person| {
        state.session.with_untracked(|session| session.as_ref().is_some_and(|session| session.person.id == person.id))
    });
    let name = RwSignal::new(known.as_ref().map(|person| person.name.clone()).unwrap_or_default());
    let role = RwSignal::new(known.as_ref().map_or(Role::Crew, |person| person.role).as_str().to_owned());
    let active = RwSignal::new(known.as_ref().is_none_or(|person| person.active));
    let wrong = RwSignal::new(None::<String>);
    let id = person;
    let save = move || {
        let called = name.get_untracked().trim().to_owned();
        if called.is_empty() {
            wrong.set(Some(words().people.name_missing.to_owned()));
            return;
        }
        let person_id = id.unwrap_or_else(new_id);
        let role = role.with_untracked(|role| role.parse().unwrap_or(Role::Crew));
        let verb = Verb::Person(PersonVerb::Save { person_id, name: called, role, active: active.get_untracked() });
        state.act_or(verb, move |answer| match answer {
            Ok(()) if id.is_none() => drop(added.try_set(Some(person_id))),
            Ok(()) => on_close.run(()),
            Err(error) => drop(wrong.try_set(Some(refusals::ask_error(&error)))),
        });
    };
    let roles: Vec<(String, String)> =
        Role::ALL.iter().map(|role| (role.as_str().to_owned(), names::role(*role).to_owned())).collect();
    let form = move || {
        view! {
            {id.zip(known.clone()).map(|(id, person)| view! {
                <div class="acts crew-there"><PersonName id name=person.name/><CallButton id named=true on_called=on_close/></div>
            })}
            <Field label=words().people.name value=name hint=words().people.name_hint wrong/>
            {if itself {
                view! { <p class="help">{words().people.not_yourself}</p> }.into_any()
            } else {
                view! { <Select label=words().kinds.role value=role options=roles.clone()/> }.into_any()
            }}
            {(id.is_some() && !itself).then(|| view! {
                <div>
                    <Switch label=words().people.active on=active on_switch=move |is| active.set(is)/>
                    <p class="help">{words().people.active_hint}</p>
                </div>
            })}
            <div class="acts">
                <Button label=words().common.save look=ButtonStyle::Go icon=IconName::Check on_press=save/>
                <Button label=words().common.cancel on_press=move || on_close.run(())/>
            </div>
            {id.map(|id| view! { <hr/><Secret id/> })}
        }
    };
    let contents = move || match added.get() {
        Some(id) => view! {
            <p role="status">{fill(words().people.added_hint, &[("who", name.get_untracked().trim())])}</p>
            <Secret id/>
            <div class="acts"><Button label=words().common.close on_press=move || on_close.run(())/></div>
        }
        .into_any(),
        None => form().into_any(),
    };
    view! { <Sheet title=title on_close>{contents}</Sheet> }
}

/// The form for a new PIN or password. The secret goes straight to the server and isn't stored on the device.
#[component]
pub fn Secret(
    /// The person.
    id: PersonId,
) -> impl IntoView {
    let state = state();
    let own = untrack(|| state.my_id()) == Some(id);
    let current = RwSignal::new(String::new());
    let secret = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let done = RwSignal::new(false);
    let hindrance = Memo::new(move |_| hindrance(state, id));
    let set = move || {
        let text = secret.get_untracked();
        if check_secret(&text).is_err() {
            wrong.set(Some(words().people.secret_wrong.to_owned()));
            return;
        }
        wrong.set(None);
        done.set(false);
        busy.set(true);
        let current_one = own.then(|| current.get_untracked());
        state.ask_or(
            Ask::SetSecret { person_id: id, secret: text, current: current_one },
            move |answer: Result<(), _>| {
                busy.try_set(false);
                match answer {
                    Ok(()) => {
                        secret.try_set(String::new());
                        current.try_set(String::new());
                        done.try_set(true);
                    }
                    Err(error) => drop(wrong.try_set(Some(refusals::ask_error(&error)))),
                }
            },
        );
    };
    view! {
        <section class="crew-secret">
            {own.then(|| view! { <Field label=words().people.secret_current value=current kind="password"/> })}
            <Field label=words().people.secret_title value=secret kind="password" hint=words().people.secret_hint wrong/>
            <p class="help">{move || hindrance.get().unwrap_or(words().people.secret_ends)}</p>
            <div class="acts">
                <Button label=words().people.secret_set icon=IconName::Key on_press=set
                    disabled=Signal::derive(move || busy.get() || hindrance.with(Option::is_some))/>
            </div>
            <p role="status" class="well">{move || done.get().then_some(words().people.secret_done)}</p>
        </section>
    }
}

/// Why a PIN can't be set now.
fn hindrance(state: AppState, id: PersonId) -> Option<&'static str> {
    if !state.status.with(|status| status.link.is_there()) {
        Some(words().people.secret_online)
    } else if state.people.get(id).is_none_or(|item| item.pending) {
        Some(words().people.secret_unsaved)
    } else {
        None
    }
}
