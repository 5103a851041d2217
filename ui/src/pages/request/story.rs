//! What happened to a request: what the server tells, what this device knows beyond it, and what the crew wrote.

use crewbell_core::screen::{Act, Deed};
use crewbell_core::store::Line;
use crewbell_shared::call::Call;
use crewbell_shared::request::{Acceptance, Note, Request, State};
use jiff::Timestamp;

use crate::pages::calls::how;

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

/// The story, oldest first. A line that both know is told once; a note is told with its words. What no line tells,
/// because the server can't be reached, is told from the request itself. What `unsent` has done to it isn't part of the
/// story yet. Calls about it are told with how they ended.
pub fn story(told: &[Line], known: &[Line], request: &Request, unsent: &[Deed], calls: &[Call]) -> Vec<Event> {
    let mut lines: Vec<&Line> = told.iter().chain(known).collect();
    lines.sort_by_key(|line| line.seq);
    lines.dedup_by_key(|line| line.seq);
    let is_told = |kind: &str| lines.iter().any(|line| line.kind == kind);
    let is_unsent = |kind: &str| unsent.iter().any(|deed| comes_of(&deed.act) == Some(kind));
    let untold = facts(request).into_iter().filter(|event| !is_told(&event.kind) && !is_unsent(&event.kind));
    let is_sent = |note: &&Note| {
        !unsent.iter().any(|deed| matches!(deed.act, Act::NoteRequest { note_id, .. } if note_id == note.id))
    };
    let happened = lines.iter().filter(|line| line.kind != NOTED).map(|line| Event {
        at: line.at,
        kind: line.kind.clone(),
        who: line.actor.name.clone(),
        text: None,
    });
    let mut events: Vec<Event> = happened
        .chain(untold)
        .chain(request.notes.iter().filter(is_sent).map(noted))
        .chain(calls.iter().map(called))
        .collect();
    events.sort_by_key(|event| event.at);
    events
}

/// What the request itself says about what happened to it.
fn facts(request: &Request) -> Vec<Event> {
    let event = |at, kind: &str, who: &str| Event { at, kind: kind.to_owned(), who: who.to_owned(), text: None };
    let asked_by = request.created_by.as_ref().map_or(&request.place_name, |by| &by.name);
    let mut facts = vec![event(request.created_at, "request_created", asked_by)];
    let taken = |now: &Acceptance| event(now.accepted_at, "request_accepted", &now.accepted_by.name);
    match &request.state {
        State::Open => {}
        State::Accepted(now) => facts.push(taken(now)),
        State::Completed { acceptance, completed_by, completed_at } => {
            facts.extend([taken(acceptance), event(*completed_at, "request_completed", &completed_by.name)]);
        }
        State::Cancelled { acceptance, cancelled_by, cancelled_at, .. } => {
            facts.extend(acceptance.as_ref().map(taken));
            facts.push(event(*cancelled_at, "request_cancelled", &cancelled_by.name));
        }
    }
    facts
}

/// The kind of the fact that a verb will be when the server has said yes; only of those that `facts` tells.
fn comes_of(act: &Act) -> Option<&'static str> {
    if let Act::CreateRequest(_) = act {
        Some("request_created")
    } else if *act == Act::AcceptRequest {
        Some("request_accepted")
    } else if *act == Act::CompleteRequest {
        Some("request_completed")
    } else if *act == Act::CancelRequest {
        Some("request_cancelled")
    } else {
        None
    }
}

const NOTED: &str = "request_noted";

fn noted(note: &Note) -> Event {
    Event { at: note.at, kind: NOTED.to_owned(), who: note.by.name.clone(), text: Some(note.text.clone()) }
}

fn called(call: &Call) -> Event {
    let who = format!("{} → {}", call.caller.name, call.callee.name);
    Event { at: call.call_time, kind: "call_started".to_owned(), who, text: Some(how(call)) }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::{at, id, open_request, ringing_call, siri};

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
        let kinds: Vec<_> =
            story(&told, &known, &request, &[], &[]).into_iter().map(|event| (event.kind, event.text)).collect();
        let expected =
            [("request_created", None), (NOTED, Some("Two espressos".to_owned())), ("request_accepted", None)];
        assert_eq!(kinds, expected.map(|(kind, text)| (kind.to_owned(), text)));
    }

    #[test]
    fn without_the_server_the_request_tells_its_own_story() {
        let acceptance = Acceptance { accepted_by: siri().as_ref(), accepted_at: at(5) };
        let state = State::Completed { acceptance, completed_by: siri().as_ref(), completed_at: at(9) };
        let request = Request { state, ..open_request(at(0)) };
        let told: Vec<_> =
            story(&[], &[], &request, &[], &[]).into_iter().map(|event| (event.kind, event.who)).collect();
        let expected = [("request_created", "Cabin 5"), ("request_accepted", "Siri"), ("request_completed", "Siri")];
        assert_eq!(told, expected.map(|(kind, who)| (kind.to_owned(), who.to_owned())));
    }

    #[test]
    fn what_is_not_sent_yet_is_no_part_of_the_story() {
        let acceptance = Acceptance { accepted_by: siri().as_ref(), accepted_at: at(5) };
        let note = Note { id: id(9), by: siri().as_ref(), at: at(6), text: "Two espressos".into() };
        let request = Request { state: State::Accepted(acceptance), notes: vec![note], ..open_request(at(0)) };
        let kinds = |unsent: &[Deed]| -> Vec<_> {
            story(&[], &[], &request, unsent, &[]).into_iter().map(|event| event.kind).collect()
        };
        assert_eq!(kinds(&[]), ["request_created", "request_accepted", NOTED]);
        let deed = |act| Deed { about: None, act };
        let accept = deed(Act::AcceptRequest);
        assert_eq!(kinds(std::slice::from_ref(&accept)), ["request_created", NOTED]);
        let note = deed(Act::NoteRequest { note_id: id(9), text: "Two espressos".into() });
        assert_eq!(kinds(&[accept, note]), ["request_created"]);
    }

    #[test]
    fn a_call_about_it_is_told_with_who_called_whom_and_how_it_ended() {
        let call = ringing_call(at(3));
        let told = story(&[line(5, "request_accepted")], &[], &open_request(at(0)), &[], &[call]);
        let called = (told[1].who.as_str(), told[1].text.as_deref());
        assert_eq!((told.len(), called), (3, ("Sam → Siri", Some("Ringing …"))));
    }
}
