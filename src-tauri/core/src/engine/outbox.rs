//! What was done is sent, in order, until the server has said yes or no.
//!
//! One batch is on its way at a time, and the next begins with the oldest that has no answer: the server sees what a
//! person did in the order in which they did it. An answer that is lost costs nothing: the same ids are sent again, and
//! the server gives the same answer.

use std::collections::BTreeSet;

use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Outcome, Verb};
use crewbell_shared::{Code, Refusal};

use super::input::is_transient;
use super::link::backoff;
use super::live::Socket;
use super::token::is_dead_token;
use super::{Engine, Fault, Now, Output, Step};
use crate::screen::{Told, Trouble};
use crate::store::{Doing, Waiting, Write};

/// Commands in one batch: a day's work of one person. The server takes 500.
const BATCH: usize = 100;

/// After so many failures of the server over one command alone, it is kept as refused, so that those behind it go on.
const MOST_FAILURES: u32 = 5;

/// In the place of an HTTP status, where there was no refusal: no answer, or another's page.
const NO_STATUS: u16 = 0;

impl Engine {
    /// The person's own commands that wait for an answer and may be sent, in order.
    fn unanswered(&self, now: Now) -> impl Iterator<Item = &Waiting> {
        let me = self.image.person_id();
        let mine = move |waiting: &&Waiting| me == Some(waiting.by.id) && waiting.doing == Doing::Waiting;
        let free = move |waiting: &&Waiting| self.held_until(&waiting.command.verb).is_none_or(|at| at <= now.tick);
        self.image.outbox.iter().filter(mine).filter(free)
    }

    /// Whether there is something to send, and somebody to send it to. Only over a live connection: `welcome` comes
    /// first, and with it what must be asked again ([`Engine::ask_again`]), which is older.
    pub(super) fn wants_to_send(&self, now: Now) -> bool {
        let up = matches!(self.live.socket, Socket::Up { .. });
        up && self.live.sending.is_none() && (self.live.suspect.is_some() || self.unanswered(now).next().is_some())
    }

    /// Sends the next batch when it is time.
    pub(super) fn keep_sending(&mut self, now: Now, outputs: &mut Vec<Output>) {
        if !self.wants_to_send(now) || now.tick < self.live.send_at {
            return;
        }
        let most = match (self.live.suspect, self.live.alone) {
            // Does anything get through?
            (Some(_), _) => 0,
            (None, true) => 1,
            (None, false) => BATCH,
        };
        let commands: Vec<Command> = self.unanswered(now).take(most).map(|waiting| waiting.command.clone()).collect();
        self.live.sending = Some((self.live.sockets, commands.iter().map(|command| command.id).collect()));
        outputs.push(Output::Send(commands));
    }

    /// What became of the commands that were sent.
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
            // The answer is of a connection before this one. What it says may be of a server that has been restored
            // since, or of a network that the device has left: it is asked again, and says the same if it is the same.
            Ok(_) | Err(Fault::Blocked { .. }) if socket != self.live.sockets => {}
            Err(_) if sent.is_empty() && socket != self.live.sockets => {}
            // An empty batch got through: it is that command, and no other, that doesn't.
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
                // One of them spoils the batch; alone, it will show which.
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
                // A body that never gets through may be too large for whoever is in between, or something that they answer
                // with a page of their own: whether it is this one alone is to be seen.
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

    /// Somebody between here and the server refused to pass commands on. It may be one of them that they don't like, or all
    /// that this device says.
    fn refused_in_between(step: &mut Step, sent: &[CommandId], status: u16, now: Now) {
        match sent {
            [id] => step.live.suspect = Some((*id, status)),
            [_, _, ..] => step.live.alone = true,
            [] => {
                step.live.suspect = None;
                step.live.trouble.get_or_insert(Trouble::Stranger);
                Self::send_later(step, now);
            }
        }
    }

    /// A command didn't get through, and something else did. Whoever is in between may have been in trouble at that moment:
    /// it is tried once more before it is given up.
    fn does_not_get_through(&self, step: &mut Step, id: CommandId, status: u16, now: Now) {
        if step.live.suspected == Some(id) {
            step.live.suspected = None;
            self.blocked(step, id, status, now);
        } else {
            (step.live.suspected, step.live.alone) = (Some(id), true);
        }
    }

    /// A command doesn't get through, and others do: it is kept as refused, with what depends on it, and the rest goes on.
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

    /// Whether the server's refusal of one command alone is an answer: the rules' "no", or a failure that comes again
    /// and again.
    fn is_hopeless(&self, fault: &Fault) -> bool {
        let Fault::Refused(refusal) = fault else { return false };
        !fault.is_transient() || (refusal.code == Code::Internal && self.live.send_failures >= MOST_FAILURES)
    }

    fn send_later(step: &mut Step, now: Now) {
        step.live.send_failures = step.live.send_failures.saturating_add(1);
        step.live.send_at = now.tick + backoff(step.live.send_failures, now.luck);
    }

    fn outcome(&self, step: &mut Step, outcome: Outcome, now: Now) {
        let Outcome { id, seq, refusal } = outcome;
        let Some(waiting) = self.image.waiting(id) else { return };
        if waiting.doing != Doing::Waiting {
            return;
        }
        let read = self.image.cursor.map_or(0, |cursor| cursor.seq);
        match (refusal, seq) {
            (Some(refusal), _) if is_transient(refusal.code) => Self::send_later(step, now),
            // It never began, as when the connection went while it was being made: there is nothing to hang up.
            (Some(refusal), _) if ends_a_call(waiting) && refusal.code == Code::NotFound => {
                step.writes.push(Write::Drop(id));
            }
            // It was worth something only then: nobody tries it again from a list.
            (Some(refusal), _) if waiting.command.verb.is_live() => {
                step.writes.push(Write::Drop(id));
                step.tell(Told::Refused { command_id: id, refusal });
            }
            (Some(refusal), _) => {
                let at = step.live.server_time(now);
                step.writes.push(Write::Mark(id, Doing::Refused { refusal: refusal.clone(), at }));
                step.tell(Told::Refused { command_id: id, refusal });
            }
            // Its entry is on its way here: until then the echo stands.
            (None, Some(seq)) if seq > read => step.writes.push(Write::Mark(id, Doing::Done { seq })),
            (None, _) => step.writes.push(Write::Drop(id)),
        }
    }
}

fn ends_a_call(waiting: &Waiting) -> bool {
    matches!(waiting.command.verb, Verb::EndCall { .. })
}

/// A failure of the server that stays, as an answer to one command.
fn as_final(refusal: Refusal) -> Refusal {
    if refusal.code == Code::Internal { Refusal { code: Code::Invalid, ..refusal } } else { refusal }
}
