//! What happened to a request: what the server tells, what this device knows beyond it, and what the crew wrote.

use crewbell_core::store::Line;
use crewbell_shared::request::{Note, Request};
use jiff::Timestamp;

/// Something that happened, for the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What: the entry's kind.
    pub kind: String,
    /// Who.
    pub who: String,
    /// What they wrote.
    pub text: Option<String>,
}

/// The story, oldest first. A line that both know is told once; a note is told with its words.
pub fn story(told: &[Line], known: &[Line], request: &Request) -> Vec<Event> {
    let mut lines: Vec<&Line> = told.iter().chain(known).collect();
    lines.sort_by_key(|line| line.seq);
    lines.dedup_by_key(|line| line.seq);
    let happened = lines.into_iter().filter(|line| line.kind != NOTED).map(|line| Event {
        at: line.at,
        kind: line.kind.clone(),
        who: line.actor.name.clone(),
        text: None,
    });
    let mut events: Vec<Event> = happened.chain(request.notes.iter().map(noted)).collect();
    events.sort_by_key(|event| event.at);
    events
}

const NOTED: &str = "request_noted";

fn noted(note: &Note) -> Event {
    Event { at: note.at, kind: NOTED.to_owned(), who: note.by.name.clone(), text: Some(note.text.clone()) }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::{at, id, open_request, siri};

    use super::*;

    fn line(seq: u64, kind: &str) -> Line {
        Line {
            seq,
            at: at(i64::try_from(seq).unwrap()),
            category: "requests".into(),
            kind: kind.into(),
            actor: ActorRef { id: None, name: "Cabin 5".into() },
            about: None,
            changed: Vec::new(),
        }
    }

    #[test]
    fn what_both_know_is_told_once_and_a_note_with_its_words() {
        let note = Note { id: id(9), by: siri().as_ref(), at: at(2), text: "Two espressos".into() };
        let request = Request { notes: vec![note], ..open_request(at(0)) };
        let told = [line(1, "request_created"), line(2, NOTED)];
        let known = [line(2, NOTED), line(3, "request_accepted"), line(1, "request_created")];
        let kinds: Vec<_> = story(&told, &known, &request).into_iter().map(|event| (event.kind, event.text)).collect();
        let expected =
            [("request_created", None), (NOTED, Some("Two espressos".to_owned())), ("request_accepted", None)];
        assert_eq!(kinds, expected.map(|(kind, text)| (kind.to_owned(), text)));
    }
}
