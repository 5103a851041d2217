//! Sends the outbox in order, until the server accepts or refuses each command.
//!
//! One batch is in flight at a time, and the next begins with the oldest unanswered command, so that the server
//! receives a person's commands in order. A lost response is harmless: the same ids are sent again, and the server
//! repeats its answer.

use crewbell_shared::call::CallVerb;
use std::collections::BTreeSet;

use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Outcome, Verb};
use crewbell_shared::{Code, Refusal};

use super::input::is_transient;
use super::link::backoff;
use super::token::is_dead_token;
use super::volatile_state::Socket;
use super::{Engine, Fault, Now, Output, Step};
use crate::screen::{ConnectionError, CoreEvent};
use crate::store::{CommandStatus, Waiting, Write};

/// Batch size in commands: a day's work of one person. The server takes 500.
const BATCH: usize = 100;

/// Number of server failures over a single command after which it is stored as refused, so that later commands can
/// proceed.
const MOST_FAILURES: u32 = 5;

/// Replaces the HTTP status if there was no refusal: no response, or a foreign page.
const NO_STATUS: u16 = 0;

impl Engine {
    /// Iterates over the person's own unanswered commands that may be sent, in order.
    fn unanswered(&self, now: Now) -> impl Iterator<Item = &Waiting> {
        let me = self.image.person_id();
        let mine = move |waiting: &&Waiting| me == Some(waiting.by.id) && waiting.doing == CommandStatus::Waiting;
        let free = move |waiting: &&Waiting| self.held_until(&waiting.command.verb).is_none_or(|at| at <= now.tick);
        self.image.outbox.iter().filter(mine).filter(free)
    }

    /// Returns whether there are commands to send and a live connection. `welcome` comes first, because the commands to
    /// ask for again ([`Engine::ask_again`]) are older.
    pub(super) fn wants_to_send(&self, now: Now) -> bool {
        let up = matches!(self.live.socket, Socket::Up { .. });
        up && self.live.sending.is_none() && (self.live.suspect.is_some() || self.unanswered(now).next().is_some())
    }

    /// Sends the next batch when it is due.
    pub(super) fn keep_sending(&mut self, now: Now, outputs: &mut Vec<Output>) {
        if !self.wants_to_send(now) || now.tick < self.live.send_at {
            return;
        }
        let most = match (self.live.suspect, self.live.alone) {
            // An empty batch tests whether anything gets through.
            (Some(_), _) => 0,
            (None, true) => 1,
            (None, false) => BATCH,
        };
        let commands: Vec<Command> = self.unanswered(now).take(most).map(|waiting| waiting.command.clone()).collect();
        self.live.sending = Some((self.live.sockets, commands.iter().map(|command| command.id).collect()));
        outputs.push(Output::Send(commands));
    }

    /// Handles the outcomes of a batch.
    pub(super) fn outcomes(&self, step: &mut Step, result: Result<Vec<Outcome>, Fault>, now: Now) {
        let Some((socket, sent)) = step.live.sending.take() else { return };
        if self.image.session.is_none() {
            return;
        }
        let reached = match &result {
            Ok(_) => true,
            Err(Fault::Refused(refusal)) => !is_transient(refusal.code) && !is_dead_token(refusal.code),
            Err(Fault::Away(_) | Fault::Blocked { .. }) => false,
        };
        match result {
            // The response belongs to an earlier connection. It may come from a server that has been restored since, or
            // from a network that the device has left, so the commands are sent again; a valid answer is repeated.
            Ok(_) | Err(Fault::Blocked { .. }) if socket != self.live.sockets => {}
            Err(_) if sent.is_empty() && socket != self.live.sockets => {}
            // An empty batch got through, so the suspect command alone is blocked.
            Ok(_) | Err(_) if sent.is_empty() && reached => {
                step.live.send_failures = 0;
                if let Some((id, status)) = step.live.suspect.take() {
                    self.does_not_get_through(step, id, status, now);
                }
            }
            Ok(outcomes) => {
                let answered = outcomes.len();
                for outcome in outcomes.into_iter().filter(|outcome| sent.contains(&outcome.id)) {
                    self.outcome(step, outcome, now);
                }
                if answered < sent.len() {
                    Self::send_later(step, now);
                } else if step.live.send_at <= now.tick {
                    step.live.trouble = None;
                    step.live.send_failures = 0;
                    step.live.alone = false;
                }
            }
            Err(Fault::Refused(refusal)) if is_dead_token(refusal.code) => self.doubt_token(step, &refusal, now),
            Err(Fault::Blocked { status }) => Self::refused_in_between(step, &sent, status, now),
            Err(Fault::Refused(refusal)) if sent.len() > 1 && refusal.code != Code::Unavailable => {
                // One command spoils the batch; sent alone, it will show which.
                step.live.alone = true;
                if is_transient(refusal.code) {
                    Self::send_later(step, now);
                }
            }
            Err(fault @ Fault::Refused(_)) if !self.is_hopeless(&fault) => Self::send_later(step, now),
            Err(Fault::Refused(refusal)) => {
                for id in sent {
                    self.outcome(step, Outcome { id, seq: None, refusal: Some(as_final(refusal.clone())) }, now);
                }
                step.live.send_failures = 0;
                step.live.alone = false;
            }
            Err(Fault::Away(why)) => {
                // A request that never gets through may be too large for an intermediary, or be answered with a foreign
                // page. An empty batch then tests whether only this command is affected.
                let is_often = step.live.send_failures >= MOST_FAILURES;
                match *sent {
                    [id] if is_often && step.live.alone => step.live.suspect = Some((id, NO_STATUS)),
                    _ => step.live.alone |= is_often,
                }
                step.live.trouble.get_or_insert(why);
                Self::send_later(step, now);
            }
        }
    }

    /// Handles a rejection by an intermediary. The cause may be one command's content, or the device as a whole.
    fn refused_in_between(step: &mut Step, sent: &[CommandId], status: u16, now: Now) {
        match sent {
            [id] => step.live.suspect = Some((*id, status)),
            [_, _, ..] => step.live.alone = true,
            [] => {
                step.live.suspect = None;
                step.live.trouble.get_or_insert(ConnectionError::Stranger);
                Self::send_later(step, now);
            }
        }
    }

    /// Handles a command that failed while another request got through. The intermediary may have failed briefly, so
    /// the command is retried once.
    fn does_not_get_through(&self, step: &mut Step, id: CommandId, status: u16, now: Now) {
        if step.live.suspected == Some(id) {
            step.live.suspected = None;
            self.blocked(step, id, status, now);
        } else {
            (step.live.suspected, step.live.alone) = (Some(id), true);
        }
    }

    /// Stores a blocked command as refused, together with its dependants, so that later commands can proceed.
    fn blocked(&self, step: &mut Step, id: CommandId, status: u16, now: Now) {
        let message = match status {
            NO_STATUS => "Something between this device and the server doesn't let it through.".to_owned(),
            _ => format!("Something between this device and the server refused to pass it on (HTTP {status})."),
        };
        let refusal = Refusal::new(Code::Blocked, message).with("status", &status);
        self.outcome(step, Outcome { id, seq: None, refusal: Some(refusal) }, now);
        let mut refused = BTreeSet::from([id]);
        for waiting in &self.image.outbox {
            let Some(on) = waiting.command.depends_on.filter(|on| refused.contains(on)) else { continue };
            let refusal =
                Refusal::new(Code::DependsOnRefused, "What it depends on was refused.").with("depends_on", &on);
            refused.insert(waiting.command.id);
            self.outcome(step, Outcome { id: waiting.command.id, seq: None, refusal: Some(refusal) }, now);
        }
    }

    /// Returns whether the refusal of a single command is final: a rule's refusal, or a repeated server failure.
    fn is_hopeless(&self, fault: &Fault) -> bool {
        let Fault::Refused(refusal) = fault else { return false };
        !fault.is_transient() || (refusal.code == Code::Internal && self.live.send_failures >= MOST_FAILURES)
    }

    fn send_later(step: &mut Step, now: Now) {
        step.live.send_failures = step.live.send_failures.saturating_add(1);
        step.live.send_at = now.tick + backoff(step.live.send_failures, now.jitter);
    }

    fn outcome(&self, step: &mut Step, outcome: Outcome, now: Now) {
        let Outcome { id, seq, refusal } = outcome;
        let Some(waiting) = self.image.waiting(id) else { return };
        if waiting.doing != CommandStatus::Waiting {
            return;
        }
        let read = self.image.cursor.map_or(0, |cursor| cursor.seq);
        match (refusal, seq) {
            (Some(refusal), _) if is_transient(refusal.code) => Self::send_later(step, now),
            // The call was never created, as the connection was lost meanwhile: there is nothing to hang up.
            (Some(refusal), _) if ends_a_call(waiting) && refusal.code == Code::NotFound => {
                step.writes.push(Write::DeleteCommand(id));
            }
            // A command with only a live effect can't be retried from the list.
            (Some(refusal), _) if waiting.command.verb.is_live() => {
                step.writes.push(Write::DeleteCommand(id));
                step.emit(CoreEvent::Refused { command_id: id, refusal });
            }
            (Some(refusal), _) => {
                let at = step.live.server_time(now);
                step.writes.push(Write::Mark(id, CommandStatus::Refused { refusal: refusal.clone(), at }));
                step.emit(CoreEvent::Refused { command_id: id, refusal });
            }
            // The command's entry hasn't arrived yet; the echo remains until then.
            (None, Some(seq)) if seq > read => step.writes.push(Write::Mark(id, CommandStatus::Done { seq })),
            (None, _) => step.writes.push(Write::DeleteCommand(id)),
        }
    }
}

fn ends_a_call(waiting: &Waiting) -> bool {
    matches!(waiting.command.verb, Verb::Call(CallVerb::End { .. }))
}

/// Converts a persistent server failure to a final refusal of one command.
fn as_final(refusal: Refusal) -> Refusal {
    if refusal.code == Code::Internal { Refusal { code: Code::Invalid, ..refusal } } else { refusal }
}
