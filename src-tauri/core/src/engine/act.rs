//! Commands from the person at this device: decided locally, queued in the outbox and shown as a local echo.
//!
//! The server's own rules (`crewbell_shared::rules`) decide on the site as this device shows it. A refused command
//! fails at once; an allowed command is stored, shown and sent. The server's decision is final, as its data may be
//! newer.

use crewbell_shared::call::CallVerb;
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Verb};
use crewbell_shared::request::RequestVerb;
use crewbell_shared::rules;
use crewbell_shared::{Code, Refusal};

use super::echo::{EchoView, actor};
use super::{Engine, Now, Step};
use crate::screen::AskError;
use crate::store::{CommandStatus, Waiting, Write};

impl Engine {
    /// Decides a new command and adds it to the outbox.
    pub(super) fn act(&self, step: &mut Step, id: CommandId, verb: Verb, now: Now) {
        let Some(session) = &self.image.session else {
            return step.refuse(AskError::refused(Code::NotSignedIn, "Nobody is signed in."));
        };
        let at = self.live.server_time(now);
        if let Err(refusal) = self.needs_connection(&verb) {
            return step.refuse(refusal);
        }
        let decided = match (actor(&self.image), EchoView::new(&self.image, &self.echo)) {
            (Some(actor), Some(view)) => rules::decide(&verb, &view, &actor, at),
            _ => Err(Refusal::new(Code::Unavailable, "The site has not been fetched yet.")),
        };
        match decided {
            Err(refusal) => step.refuse(refusal),
            // The command has no effect: there is nothing to do, and nothing to send.
            Ok(changes) if changes.is_empty() => {}
            Ok(_) => {
                if let Verb::Call(CallVerb::Start { call_id, .. }) = &verb {
                    step.live.line.dialled = Some(*call_id);
                }
                let depends_on = self.depends_on(&verb);
                let command = Command { id, made_at: Some(at), depends_on, verb };
                let by = session.person.clone();
                step.writes.push(Write::UpsertCommand(Waiting { command, by, at, doing: CommandStatus::Waiting }));
                step.answer = Ok(Some(id));
            }
        }
    }

    /// Returns the earlier command that this one depends on: the one that creates an entity that it refers to, or the
    /// accept that it follows.
    fn depends_on(&self, verb: &Verb) -> Option<CommandId> {
        let meta = verb.meta();
        let named = meta.subject.into_iter().chain(meta.references);
        let missing: Vec<_> = named.filter(|key| !self.image.entities.contains_key(key)).collect();
        let follows = matches!(
            verb,
            Verb::Request(RequestVerb::Complete { .. } | RequestVerb::Release { .. } | RequestVerb::HandOver { .. })
        );
        let unanswered = || self.image.outbox.iter().filter(|waiting| waiting.doing == CommandStatus::Waiting);
        let accepts = |waiting: &&Waiting| {
            let accept = matches!(waiting.command.verb, Verb::Request(RequestVerb::Accept { .. }));
            follows && accept && waiting.command.verb.subject() == verb.subject()
        };
        let makes =
            |waiting: &&Waiting| waiting.command.verb.subject().is_some_and(|subject| missing.contains(&subject));
        unanswered().rev().find(accepts).or_else(|| unanswered().find(makes)).map(|waiting| waiting.command.id)
    }

    /// Retries a refused command under a new id; under the old id the server would repeat its old answer.
    pub(super) fn retry(&self, step: &mut Step, id: CommandId, new_id: CommandId, now: Now) {
        let Some(old) = self.image.waiting(id).filter(|old| matches!(old.doing, CommandStatus::Refused { .. })) else {
            return step.refuse(Refusal::not_found("command"));
        };
        if self.image.person_id() != Some(old.by.id) {
            return step.refuse(AskError::refused(Code::NotYours, format!("{} did that.", old.by.name)));
        }
        let at = self.live.server_time(now);
        let depends_on = self.depends_on(&old.command.verb);
        let command = Command { id: new_id, made_at: Some(at), depends_on, verb: old.command.verb.clone() };
        step.writes.push(Write::UpsertCommand(Waiting {
            command,
            by: old.by.clone(),
            at,
            doing: CommandStatus::Waiting,
        }));
        step.writes.push(Write::DeleteCommand(id));
        step.answer = Ok(Some(new_id));
    }

    /// Removes a command from the outbox.
    pub(super) fn discard(&self, step: &mut Step, id: CommandId) {
        if self.image.waiting(id).is_none() {
            return step.refuse(Refusal::not_found("command"));
        }
        step.writes.push(Write::DeleteCommand(id));
    }
}
