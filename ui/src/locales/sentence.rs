//! Sentences that mention people. The people are kept as separate pieces, so that their presence can be shown beside
//! them.

use std::fmt;

use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::ActorRef;

use super::{Part, each_part};

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words, including names that aren't people's.
    Words(String),
    /// A person.
    Person(PersonRef),
}

/// A sentence as a list of pieces. Displayed as text, it contains the people's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence(Vec<Piece>);

impl Sentence {
    /// Fills sentences into the placeholders of a text, as [`fill`](super::fill) does with texts.
    pub fn fill(text: &str, names: &[(&str, &Self)]) -> Self {
        let mut filled = Self::default();
        each_part(text, &mut |part| match part {
            Part::Words(words) => filled.push(words),
            Part::Name(name) => match names.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled.0.extend(value.0.iter().cloned()),
                None => filled.push(&format!("{{{name}}}")),
            },
        });
        filled
    }

    /// Joins sentences with a separator.
    pub fn joined(all: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut joined = Self::default();
        for sentence in all {
            if !joined.0.is_empty() {
                joined.push(between);
            }
            joined.0.extend(sentence.0);
        }
        joined
    }

    /// The pieces, in order.
    pub fn pieces(self) -> Vec<Piece> {
        self.0
    }

    fn push(&mut self, words: &str) {
        self.0.push(Piece::Words(words.to_owned()));
    }
}

impl From<String> for Sentence {
    fn from(words: String) -> Self {
        Self(vec![Piece::Words(words)])
    }
}

impl From<&PersonRef> for Sentence {
    fn from(person: &PersonRef) -> Self {
        Self(vec![Piece::Person(person.clone())])
    }
}

impl From<&ActorRef> for Sentence {
    /// Buttons and the server have no id and no presence, so they are words.
    fn from(actor: &ActorRef) -> Self {
        match actor.id {
            Some(id) => Self::from(&PersonRef { id, name: actor.name.clone() }),
            None => actor.name.clone().into(),
        }
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Words(words) => to.write_str(words),
            Piece::Person(person) => to.write_str(&person.name),
        })
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{by, sam, siri};

    use super::*;

    #[test]
    fn a_person_in_a_sentence_is_kept_apart_from_its_words() {
        let siri = siri().as_ref();
        let said = Sentence::fill(
            "{who} has {what} and {unknown}",
            &[("who", &(&siri).into()), ("what", &"{who}".to_owned().into())],
        );
        assert_eq!(said.to_string(), "Siri has {who} and {unknown}");
        let people = said.pieces().into_iter().filter(|piece| matches!(piece, Piece::Person(_)));
        assert_eq!(people.collect::<Vec<_>>(), [Piece::Person(siri)]);
    }

    #[test]
    fn a_button_is_nobody_and_who_pressed_on_a_screen_is() {
        let button = ActorRef { id: None, name: "Cabin 5".into() };
        assert_eq!(Sentence::from(&button), Sentence::from("Cabin 5".to_owned()));
        assert_eq!(Sentence::from(&ActorRef::from(&by(&sam()))), Sentence::from(&sam().as_ref()));
    }

    #[test]
    fn sentences_are_joined_with_something_between_each_two() {
        let joined = Sentence::joined([(&sam().as_ref()).into(), (&siri().as_ref()).into()], " → ");
        assert_eq!(joined.to_string(), "Sam → Siri");
    }
}
