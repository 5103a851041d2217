//! The state transitions of a request. The server and an offline app both decide by them.

use jiff::Timestamp;

use super::{Acceptance, Change, Command, Note, Request, RequestState};
use crate::person::{Person, Right};
use crate::rules::words;
use crate::{Code, Refusal};

/// Maximum number of notes on a request.
pub const MAX_NOTES: usize = 100;

/// Maximum size of all notes on a request, in bytes of UTF-8. Each change sends the whole request, so all notes are
/// sent again with every new one.
pub const MAX_NOTES_BYTES: usize = 32 * 1024;

/// Maximum length of a note, a reason or a text, in characters.
pub const MAX_TEXT: usize = 2000;

/// Decides the effect of a command on a request at a time.
///
/// A step's time is never before the step that it follows, so a clock that was set back causes no negative duration.
///
/// # Errors
/// - `already_accepted` with the winner, if somebody else has it. Accepting one's own request is a success, because the
///   first response may have been lost; it also acknowledges that the guest pressed again.
/// - `already_closed` with the request, for everything but a note.
/// - `not_accepted` for completing, releasing or handing over an open request.
/// - `not_yours` for a request that somebody else has, unless the actor may take over.
/// - `notes_full` if a note would exceed a limit.
/// - `not_allowed`, `not_active`, `invalid`.
pub fn decide(
    request: Request,
    command: Command,
    actor: &Person,
    at: Timestamp,
) -> Result<(Request, Option<Change>), Refusal> {
    let who = crate::person::Actor::Person(actor.clone());
    let at = at.max(latest_step(&request));
    match command {
        Command::Accept => {
            who.need(Right::AnswerRequests)?;
            accept(request, actor, at)
        }
        Command::Release => {
            who.need(Right::AnswerRequests)?;
            let held = held(&request, actor)?;
            let request = Request { state: RequestState::Open, ..request };
            Ok((request, Some(Change::Released { from: held.accepted_by })))
        }
        Command::HandOver { to } => {
            who.need(Right::AnswerRequests)?;
            crate::person::Actor::Person(to.clone()).need(Right::AnswerRequests)?;
            let held = held(&request, actor)?;
            if held.accepted_by.id == to.id {
                return Ok((request, None));
            }
            let acceptance = Acceptance { accepted_by: to.as_ref(), accepted_at: held.accepted_at };
            let request = Request { state: RequestState::Accepted(acceptance), ..request };
            Ok((request, Some(Change::HandedOver { from: held.accepted_by })))
        }
        Command::Complete => {
            who.need(Right::AnswerRequests)?;
            let acceptance = held(&request, actor)?;
            let state = RequestState::Completed { acceptance, completed_by: actor.as_ref(), completed_at: at };
            Ok((Request { state, ..request }, Some(Change::Completed)))
        }
        Command::Cancel { reason } => {
            who.need(Right::CancelRequests)?;
            let reason = reason.map(|reason| text("reason", &reason)).transpose()?;
            cancel(request, reason, actor, at)
        }
        Command::Note { id, text } => {
            who.need(Right::AnswerRequests)?;
            note(request, id, &text, actor, at)
        }
    }
}

/// The time of the latest step.
fn latest_step(request: &Request) -> Timestamp {
    let created_at = request.created_at;
    match &request.state {
        RequestState::Open | RequestState::Cancelled { acceptance: None, .. } => created_at,
        RequestState::Accepted(acceptance)
        | RequestState::Completed { acceptance, .. }
        | RequestState::Cancelled { acceptance: Some(acceptance), .. } => created_at.max(acceptance.accepted_at),
    }
}

fn accept(request: Request, actor: &Person, at: Timestamp) -> Result<(Request, Option<Change>), Refusal> {
    match &request.state {
        RequestState::Open => {
            let acceptance = Acceptance { accepted_by: actor.as_ref(), accepted_at: at };
            Ok((Request { state: RequestState::Accepted(acceptance), ..request }, Some(Change::Accepted)))
        }
        // The guest pressed again, and the holder acknowledges it.
        RequestState::Accepted(acceptance)
            if acceptance.accepted_by.id == actor.id && request.is_pressed_since_accepted() =>
        {
            let accepted_at = request.last_press_at.map_or(at, |last| at.max(last));
            let acceptance = Acceptance { accepted_at, ..acceptance.clone() };
            Ok((Request { state: RequestState::Accepted(acceptance), ..request }, Some(Change::Accepted)))
        }
        RequestState::Accepted(acceptance) if acceptance.accepted_by.id == actor.id => Ok((request, None)),
        RequestState::Accepted(acceptance) => {
            Err(Refusal::new(Code::AlreadyAccepted, format!("{} has it already.", acceptance.accepted_by.name))
                .with("by", &acceptance.accepted_by)
                .with("request", &request))
        }
        RequestState::Completed { .. } | RequestState::Cancelled { .. } => Err(closed(&request)),
    }
}

fn cancel(
    request: Request,
    cancel_reason: Option<String>,
    actor: &Person,
    at: Timestamp,
) -> Result<(Request, Option<Change>), Refusal> {
    let acceptance = match &request.state {
        RequestState::Open => None,
        RequestState::Accepted(_) => Some(held(&request, actor)?),
        RequestState::Completed { .. } | RequestState::Cancelled { .. } => return Err(closed(&request)),
    };
    let state = RequestState::Cancelled { acceptance, cancelled_by: actor.as_ref(), cancelled_at: at, cancel_reason };
    Ok((Request { state, ..request }, Some(Change::Cancelled)))
}

fn note(
    mut request: Request,
    id: crate::ids::NoteId,
    words: &str,
    actor: &Person,
    at: Timestamp,
) -> Result<(Request, Option<Change>), Refusal> {
    let text = text("text", words)?;
    if let Some(known) = request.notes.iter().find(|note| note.id == id) {
        // The same note by another command changes nothing; another note needs an id of its own.
        let same = known.by.id == actor.id && known.text == text;
        let taken = || Refusal::invalid("note_id", "There is a note with that id already.");
        return if same { Ok((request, None)) } else { Err(taken()) };
    }
    let bytes = request.notes.iter().map(|note| note.text.len()).sum::<usize>() + text.len();
    if request.notes.len() >= MAX_NOTES || bytes > MAX_NOTES_BYTES {
        let message = format!("A request holds {MAX_NOTES} notes at most, and {MAX_NOTES_BYTES} bytes of them.");
        let full = Refusal::new(Code::NotesFull, message).with("limit", &MAX_NOTES);
        return Err(full.with("limit_bytes", &MAX_NOTES_BYTES));
    }
    request.notes.push(Note { id, by: actor.as_ref(), at, text });
    Ok((request, Some(Change::Noted)))
}

/// The acceptance, if the actor may act upon it: their own, or anybody's with the right to take over.
fn held(request: &Request, actor: &Person) -> Result<Acceptance, Refusal> {
    match &request.state {
        RequestState::Open => {
            Err(Refusal::new(Code::NotAccepted, "Nobody has accepted it yet.").with("request", request))
        }
        RequestState::Accepted(acceptance) => {
            let own = acceptance.accepted_by.id == actor.id;
            if own || crate::person::allows(actor.role, Right::TakeOverRequests) {
                Ok(acceptance.clone())
            } else {
                Err(Refusal::new(Code::NotYours, format!("{} has it.", acceptance.accepted_by.name))
                    .with("by", &acceptance.accepted_by)
                    .with("request", request))
            }
        }
        RequestState::Completed { .. } | RequestState::Cancelled { .. } => Err(closed(request)),
    }
}

fn closed(request: &Request) -> Refusal {
    Refusal::new(Code::AlreadyClosed, format!("It is {} already.", request.state.as_str())).with("request", request)
}

/// Validates a text that mustn't be empty.
fn text(field: &str, text: &str) -> Result<String, Refusal> {
    let words = words(field, text, MAX_TEXT)?;
    if words.is_empty() { Err(Refusal::invalid(field, "Write something.")) } else { Ok(words) }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
