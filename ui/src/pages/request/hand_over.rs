//! Handing a request over to a colleague. People on duty who are online come first.

use crewbell_shared::ids::{PersonId, RequestId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestState;
use crewbell_shared::request::RequestVerb;
use leptos::prelude::*;

use crate::components::{Chip, PersonName, Sheet, Tone};
use crate::locales::{names, words};
use crate::state::{AppState, state};

/// The sheet with everybody who can take the request. An open request is accepted on the way.
#[component]
pub fn HandOver(id: RequestId, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let people = Memo::new(move |_| colleagues(state, id));
    let choose = move |to: PersonId| {
        let open = state.requests.peek(id).is_some_and(|item| item.entity.state == RequestState::Open);
        if open {
            state.act(Verb::Request(RequestVerb::Accept { request_id: id }));
        }
        if !open || Some(to) != state.my_id() {
            state.act(Verb::Request(RequestVerb::HandOver { request_id: id, to }));
        }
        on_close.run(());
    };
    let open = state.requests.peek(id).is_some_and(|item| item.entity.state == RequestState::Open);
    let title = if open { words().request.assign } else { words().request.hand_over_to };
    view! {
        <Sheet title on_close>
            <div class="rows">
                <For each=move || people.get() key=|person| person.id let:person>
                    <button type="button" class="row-press" on:click=move |_| choose(person.id)>
                        <PersonName id=person.id name=person.name.clone()/>
                        <span class="grow"></span>
                        <Chip text=names::role(person.role)/>
                        <Chip text=if person.on_duty { words().frame.on_duty } else { words().frame.off_duty }
                            tone=if person.on_duty { Tone::Mine } else { Tone::Quiet }/>
                    </button>
                </For>
            </div>
            <Show when=move || people.with(Vec::is_empty)><p>{words().request.nobody}</p></Show>
        </Sheet>
    }
}

fn colleagues(state: AppState, id: RequestId) -> Vec<Person> {
    let holder = state.requests.get(id).and_then(|item| item.entity.holder().map(|holder| holder.id));
    let people = state.people.list(|item| {
        let person = &item.entity;
        (person.active && Some(person.id) != holder).then(|| person.clone())
    });
    by_readiness(people, |id| state.devices_of(id).0 > 0)
}

/// Sorts people: on duty before off duty, online before offline, then by name.
fn by_readiness(mut people: Vec<Person>, is_there: impl Fn(PersonId) -> bool) -> Vec<Person> {
    people.sort_by_cached_key(|person| (!person.on_duty, !is_there(person.id), person.name.to_lowercase()));
    people
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{alex, dana, sam, siri};

    use super::*;

    #[test]
    fn who_is_on_duty_and_there_stands_first() {
        let off = Person { on_duty: false, ..alex() };
        let sorted = by_readiness(vec![off.clone(), siri(), sam(), dana()], |id| id == siri().id || id == off.id);
        let names: Vec<_> = sorted.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["Siri", "Dana", "Sam", "Alex"]);
    }
}
