//! A person's name, and whether they are there: by the word, and by the shape of a dot; and when they last were.
//!
//! A name that stands alone is a [`PersonName`], or beside a [`Face`]; one within a line is a [`Who`], and within a sentence
//! of `locales` it becomes one by [`Said`].

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::Status;
use leptos::prelude::*;

use crate::locales::{Piece, Sentence, fill, names, time, words};
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
    let said = Memo::new(move |_| presence_words(state, id));
    view! {
        <span class="person">
            <Face id name said_beside=true/>
            <span>
                <b>{name}</b>
                <small>{said}</small>
            </span>
        </span>
    }
}

/// The first letters of a person's name, with a dot: full when they are there, barred when they are busy, a square when
/// they are in a call, empty when they are away. What it means is its tooltip, and its name for a screen reader.
#[component]
pub fn Face(
    /// Who.
    id: PersonId,
    /// Their name.
    #[prop(into)]
    name: Signal<String>,
    /// The same stands beside it in words: a screen reader passes over the face.
    #[prop(optional)]
    said_beside: bool,
) -> impl IntoView {
    let state = state();
    let class = Memo::new(move |_| class(state.presence_of(id)));
    let said = Memo::new(move |_| presence_words(state, id));
    view! {
        <span class=move || format!("face {}", class.get()) title=said role=(!said_beside).then_some("img")
            aria-label=(!said_beside).then_some(said) aria-hidden=said_beside.then_some("true")>
            {move || name.with(|name| initials(name))}
            <i></i>
        </span>
    }
}

/// A person's name within a line, after a small dot of the same shapes. What it means is its tooltip, and its name for a
/// screen reader. Who isn't known here any more has none.
#[component]
pub fn Who(
    /// Who, by the name that stands there.
    person: PersonRef,
) -> impl IntoView {
    let state = state();
    let PersonRef { id, name } = person;
    let known = Memo::new(move |_| state.people.get(id).is_some());
    let shape = Memo::new(move |_| class(state.presence_of(id)));
    let said = move || known.get().then(|| presence_words(state, id));
    view! {
        <span class=move || format!("who {}", shape.get()) title=said>
            {move || known.get().then(|| view! { <i role="img" aria-label=said></i> })}
            {name}
        </span>
    }
}

/// What is said, with whether the people in it are there.
#[component]
pub fn Said(
    /// What.
    #[prop(into)]
    of: Sentence,
) -> impl IntoView {
    let piece = |piece| match piece {
        Piece::Words(words) => words.into_any(),
        Piece::Person(person) => view! { <Who person/> }.into_any(),
    };
    of.pieces().into_iter().map(piece).collect_view()
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

/// Whether somebody is there, in words, and if not, when they last were: "Offline · last seen 14:02".
pub fn presence_words(state: State, id: PersonId) -> String {
    let word = names::presence(state.presence_of(id));
    let Some(at) = state.last_seen(id) else { return word.to_owned() };
    // "Yesterday" is true for a day: what follows the clock is the day alone.
    state.today.track();
    let when = time::lately(at, state.now.get_untracked());
    format!("{word} · {}", fill(words().calls.seen, &[("time", &when)]))
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
