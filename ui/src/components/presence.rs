//! People's names with their presence: in words, by the shape of a dot, and with the time when they were last seen.
//!
//! A name on its own is a [`PersonName`], or stands beside a [`Face`]. A name within a line is a [`Who`]; within a
//! sentence of `locales` [`Said`] renders it as one.

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::Status;
use leptos::prelude::*;

use crate::locales::{Piece, Sentence, fill, names, time, words};
use crate::state::{AppState, state};

/// A person's name with their presence and the time when they were last seen.
#[component]
pub fn PersonName(
    /// The person.
    id: PersonId,
    /// The person's name.
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

/// A person's initials with a presence dot: full for online, barred for busy, a square for in a call, empty for away.
/// The tooltip and the accessible name give the presence in words.
#[component]
pub fn Face(
    /// The person.
    id: PersonId,
    /// The person's name.
    #[prop(into)]
    name: Signal<String>,
    /// Whether the same text stands beside it; then it is hidden from screen readers.
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

/// A person's name within a line, after a small presence dot of the same shapes. The tooltip and the accessible name
/// give the presence in words. People unknown to this device have no dot.
#[component]
pub fn Who(
    /// The person, with the name to show.
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

/// A sentence in which people are shown with their presence.
#[component]
pub fn Said(
    /// The sentence.
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

/// The presence of a person in words, with the time when they were last seen if they are away: "Offline · last seen
/// 14:02".
pub fn presence_words(state: AppState, id: PersonId) -> String {
    let word = names::presence(state.presence_of(id));
    let Some(at) = state.last_seen(id) else { return word.to_owned() };
    // "Yesterday" holds for a day, so it depends only on the date and not on the clock.
    state.today.track();
    let when = time::lately(at, state.now.get_untracked());
    format!("{word} · {}", fill(words().calls.seen, &[("time", &when)]))
}

/// The initials of the first two words of a name.
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
