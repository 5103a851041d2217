//! The choice of a person to call about a subject. People on duty who are online come first.

use crewbell_shared::call::About;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Person;
use crewbell_shared::protocol::live::Status;
use leptos::prelude::*;

use crate::components::{CallButton, Chip, PersonName, Sheet, Tone};
use crate::locales::{fill, names, words};
use crate::state::{AppState, state};

/// A sheet with everybody who can be called.
#[component]
pub fn Choose(
    /// The subject.
    about: About,
    /// Called when the sheet closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    // The order is fixed when the sheet opens: no name moves under a finger because somebody's presence changes.
    let people = untrack(|| colleagues(state));
    let none = people.is_empty().then(|| view! { <p>{words().calls.nobody}</p> });
    let what = super::about(state, &about);
    let row = move |person: Person| {
        let about = Some(about.clone());
        view! {
            <div class="row callee">
                <PersonName id=person.id name=person.name.clone()/>
                <span class="grow"></span>
                <Chip text=names::role(person.role)/>
                <Chip text=if person.on_duty { words().frame.on_duty } else { words().frame.off_duty }
                    tone=if person.on_duty { Tone::Mine } else { Tone::Quiet }/>
                <CallButton id=person.id about on_called=on_close/>
            </div>
        }
    };
    let rows: Vec<_> = people.into_iter().map(row).collect();
    view! {
        <Sheet title=words().calls.call_whom on_close>
            <p class="hint">{fill(words().calls.about, &[("what", &what)])}</p>
            <div class="rows">{rows}</div>
            {none}
        </Sheet>
    }
}

fn colleagues(state: AppState) -> Vec<Person> {
    let me = state.my_id();
    let people = state.people.list(|item| {
        let person = &item.entity;
        (person.active && Some(person.id) != me).then(|| person.clone())
    });
    by_readiness(people, |id| state.presence_of(id))
}

/// Sorts people: by presence, reachable ones first, then on duty before off duty, then by name.
fn by_readiness(mut people: Vec<Person>, presence: impl Fn(PersonId) -> Option<Status>) -> Vec<Person> {
    people.sort_by_cached_key(|person| {
        let ready = presence(person.id).unwrap_or(Status::Offline);
        let rank = [Status::Online, Status::InCall, Status::Busy, Status::Offline].iter().position(|is| *is == ready);
        (rank, !person.on_duty, person.name.to_lowercase())
    });
    people
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{alex, dana, sam, siri};

    use super::*;

    #[test]
    fn who_can_be_called_stands_first_and_on_duty_before_off() {
        let off = Person { on_duty: false, ..alex() };
        let presence = |id: PersonId| match id {
            id if id == sam().id => Some(Status::Busy),
            id if id == dana().id => Some(Status::Offline),
            _ => Some(Status::Online),
        };
        let sorted = by_readiness(vec![dana(), off, sam(), siri()], presence);
        let names: Vec<_> = sorted.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["Siri", "Alex", "Sam", "Dana"]);
    }
}
