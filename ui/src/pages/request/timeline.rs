//! The timeline of a request: the server's log entries, what this device knows beyond them, notes, and calls about the
//! request. It is the same with and without a connection.

use crewbell_core::store::Line;
use crewbell_shared::call::Call;
use crewbell_shared::ids::NoteId;
use crewbell_shared::protocol::{EntityType, Verb};
use crewbell_shared::request::{Acceptance, Note, Request, RequestState, RequestVerb};
use jiff::Timestamp;

use crate::locales::Sentence;
use crate::pages::calls::{how, parties};

/// An event in the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The time.
    pub at: Timestamp,
    /// The kind of the log entry.
    pub kind: String,
    /// The actor: a person, or the place of the button.
    pub who: Sentence,
    /// The text that the actor wrote.
    pub text: Option<String>,
}

/// Builds the timeline, oldest first. Lines that both sources know appear once, notes with their text. Facts without a
/// line, because the server can't be reached, are derived from the request itself, except the effects of `unsent`. A
/// call about the request appears once, with its outcome; of an unknown call the last line is kept.
pub fn story(told: &[Line], known: &[Line], request: &Request, unsent: &[Verb], calls: &[Call]) -> Vec<Event> {
    let mut lines: Vec<&Line> = told.iter().chain(known).collect();
    lines.sort_by_key(|line| line.seq);
    lines.dedup_by_key(|line| line.seq);
    let lines = without_steps(&lines, calls);
    let is_told = |kind: &str| lines.iter().any(|line| line.kind == kind);
    let is_unsent = |kind: &str| unsent.iter().any(|verb| comes_of(verb) == Some(kind));
    let untold = facts(request).into_iter().filter(|event| !is_told(&event.kind) && !is_unsent(&event.kind));
    let is_sent = |note: &&Note| !unsent.iter().any(|verb| notes(verb, note.id));
    let happened = lines.iter().filter(|line| line.kind != NOTED).map(|line| Event {
        at: line.at,
        kind: line.kind.clone(),
        who: (&line.actor).into(),
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

/// Removes the lines of intermediate call steps: all lines of a known call, and all but the last of another.
fn without_steps<'a>(lines: &[&'a Line], calls: &[Call]) -> Vec<&'a Line> {
    let call = |line: &Line| line.about.filter(|about| about.entity_type == EntityType::Call);
    let is_step = |at: usize, line: &Line| {
        call(line).is_some_and(|about| {
            let goes_on = lines[at + 1..].iter().any(|later| later.about == Some(about));
            goes_on || calls.iter().any(|call| call.id.0 == about.id)
        })
    };
    lines.iter().enumerate().filter(|(at, line)| !is_step(*at, line)).map(|(_, line)| *line).collect()
}

/// The events that the request's own state proves.
fn facts(request: &Request) -> Vec<Event> {
    let event = |at, kind: &str, who| Event { at, kind: kind.to_owned(), who, text: None };
    let asked_by = request.created_by.as_ref().map_or_else(|| request.place_name.clone().into(), Sentence::from);
    let mut facts = vec![event(request.created_at, "request_created", asked_by)];
    let taken = |now: &Acceptance| event(now.accepted_at, "request_accepted", (&now.accepted_by).into());
    match &request.state {
        RequestState::Open => {}
        RequestState::Accepted(now) => facts.push(taken(now)),
        RequestState::Completed { acceptance, completed_by, completed_at } => {
            facts.extend([taken(acceptance), event(*completed_at, "request_completed", completed_by.into())]);
        }
        RequestState::Cancelled { acceptance, cancelled_by, cancelled_at, .. } => {
            facts.extend(acceptance.as_ref().map(taken));
            facts.push(event(*cancelled_at, "request_cancelled", cancelled_by.into()));
        }
    }
    facts
}

/// The kind of the fact that a command results in once the server has confirmed it; only for kinds that `facts` yields.
fn comes_of(verb: &Verb) -> Option<&'static str> {
    let Verb::Request(verb) = verb else { return None };
    match verb {
        RequestVerb::Create { .. } => Some("request_created"),
        RequestVerb::Accept { .. } => Some("request_accepted"),
        RequestVerb::Complete { .. } => Some("request_completed"),
        RequestVerb::Cancel { .. } => Some("request_cancelled"),
        RequestVerb::Release { .. } | RequestVerb::HandOver { .. } | RequestVerb::Note { .. } => None,
    }
}

/// Whether a command adds that note.
fn notes(verb: &Verb, id: NoteId) -> bool {
    matches!(verb, Verb::Request(RequestVerb::Note { note_id, .. }) if *note_id == id)
}

const NOTED: &str = "request_noted";

fn noted(note: &Note) -> Event {
    Event { at: note.at, kind: NOTED.to_owned(), who: (&note.by).into(), text: Some(note.text.clone()) }
}

fn called(call: &Call) -> Event {
    Event { at: call.call_time, kind: "call_started".to_owned(), who: parties(call), text: Some(how(call)) }
}

#[cfg(test)]
mod tests {
    use crewbell_core::store::EntityKey;
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
        let state = RequestState::Completed { acceptance, completed_by: siri().as_ref(), completed_at: at(9) };
        let request = Request { state, ..open_request(at(0)) };
        let told: Vec<_> =
            story(&[], &[], &request, &[], &[]).into_iter().map(|event| (event.kind, event.who.to_string())).collect();
        let expected = [("request_created", "Cabin 5"), ("request_accepted", "Siri"), ("request_completed", "Siri")];
        assert_eq!(told, expected.map(|(kind, who)| (kind.to_owned(), who.to_owned())));
    }

    #[test]
    fn what_is_not_sent_yet_is_no_part_of_the_story() {
        let acceptance = Acceptance { accepted_by: siri().as_ref(), accepted_at: at(5) };
        let note = Note { id: id(9), by: siri().as_ref(), at: at(6), text: "Two espressos".into() };
        let request = Request { state: RequestState::Accepted(acceptance), notes: vec![note], ..open_request(at(0)) };
        let kinds = |unsent: &[Verb]| -> Vec<_> {
            story(&[], &[], &request, unsent, &[]).into_iter().map(|event| event.kind).collect()
        };
        assert_eq!(kinds(&[]), ["request_created", "request_accepted", NOTED]);
        let request_id = request.id;
        let accept = Verb::Request(RequestVerb::Accept { request_id });
        assert_eq!(kinds(std::slice::from_ref(&accept)), ["request_created", NOTED]);
        let note = Verb::Request(RequestVerb::Note { request_id, note_id: id(9), text: "Two espressos".into() });
        assert_eq!(kinds(&[accept, note]), ["request_created"]);
    }

    #[test]
    fn a_call_about_it_is_told_with_who_called_whom_and_how_it_ended() {
        let call = ringing_call(at(3));
        let told = story(&[line(5, "request_accepted")], &[], &open_request(at(0)), &[], &[call]);
        let called = (told[1].who.to_string(), told[1].text.as_deref());
        assert_eq!((told.len(), called), (3, ("Sam → Siri".to_owned(), Some("Ringing …"))));
    }

    fn step(seq: u64, kind: &str, call: &Call) -> Line {
        let actor = ActorRef { id: Some(siri().id), name: "Siri".into() };
        Line { actor, about: Some(EntityKey::new(EntityType::Call, call.id.0)), ..line(seq, kind) }
    }

    #[test]
    fn a_call_is_told_once_with_the_server_and_without() {
        let call = ringing_call(at(2));
        let created = Line { at: at(0), ..line(1, "request_created") };
        let told =
            [created, step(2, "call_started", &call), step(3, "call_answered", &call), step(4, "call_ended", &call)];
        let request = open_request(at(0));
        let kinds = |events: &[Event]| events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>();
        let online = story(&told, &told[2..], &request, &[], std::slice::from_ref(&call));
        assert_eq!(kinds(&online), ["request_created", "call_started"]);
        assert_eq!(online, story(&[], &[], &request, &[], std::slice::from_ref(&call)));
        // Without the call itself, as on a device that dropped it, the server's last line about it is shown.
        assert_eq!(kinds(&story(&told, &[], &request, &[], &[])), ["request_created", "call_ended"]);
    }
}
