//! A person's name, and whether they are there: by the word, and by the shape of a dot.

use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::Status;
use leptos::prelude::*;

use crate::locales::{fill, names, time, words};
use crate::state::{State, state};

/// A person's name, with whether they are there, and when they last were.
#[component]
pub fn PersonName(
    /// Who.
    id: PersonId,
    /// Their name.
    #[prop(into)]
    name: Signal<String>,
) -> impl IntoView {
    let state = state();
    let said = Memo::new(move |_| said(state, id));
    view! {
        <span class="person">
            <Face id name/>
            <span>
                <b>{name}</b>
                <small>{said}</small>
            </span>
        </span>
    }
}

/// The first letters of a person's name, with a dot: full when they are there, barred when they are busy, a square when
/// they are in a call, empty when they are away.
#[component]
pub fn Face(
    /// Who.
    id: PersonId,
    /// Their name.
    #[prop(into)]
    name: Signal<String>,
) -> impl IntoView {
    let state = state();
    let class = Memo::new(move |_| class(state.presence_of(id)));
    view! {
        <span class=move || format!("face {}", class.get()) aria-hidden="true">
            {move || name.with(|name| initials(name))}
            <i></i>
        </span>
    }
}

fn class(presence: Option<Status>) -> &'static str {
    match presence {
        Some(Status::Online) => "online",
        Some(Status::Busy) => "busy",
        Some(Status::InCall) => "in-call",
        Some(Status::Offline) => "away",
        None => "unknown",
    }
}

/// "Offline · seen 14:02": when they were last there only where they aren't.
fn said(state: State, id: PersonId) -> String {
    let presence = state.presence_of(id);
    let word = names::presence(presence);
    let seen = if presence == Some(Status::Offline) { state.last_seen(id) } else { None };
    // The day that a time is told with changes too seldom to follow the clock for it.
    let when = |at| time::moment(at, state.now.get_untracked());
    seen.map_or(word.to_owned(), |at| format!("{word} · {}", fill(words().calls.seen, &[("time", &when(at))])))
}

/// The first letters of a name's first two words.
fn initials(name: &str) -> String {
    name.split_whitespace().take(2).filter_map(|word| word.chars().next()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_two_words_in_capitals() {
        assert_eq!(["Siri", "anna maria müller", "", "ž"].map(initials), ["S", "AM", "", "Ž"]);
    }

    #[test]
    fn every_presence_has_a_word_and_a_shape_of_its_own() {
        let all = [Status::Online, Status::Busy, Status::InCall, Status::Offline].map(Some);
        let all = all.into_iter().chain([None]).map(|presence| (class(presence), names::presence(presence)));
        let (classes, words): (std::collections::BTreeSet<_>, std::collections::BTreeSet<_>) = all.unzip();
        assert_eq!((classes.len(), words.len()), (5, 5));
    }
}
