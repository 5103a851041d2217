//! A batch of actions, decided in order on the same [`UnitOfWork`] in memory, between loading and saving.

use crewbell_shared::ids::CommandId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Outcome;
use crewbell_shared::request::Request;
use crewbell_shared::rules::Lookup;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::ActionContext;
use super::effects::Answer;
use super::store::{self, PendingWrites, Signature};
use super::too_old::Old;
use super::unit_of_work::{ReadSet, UnitOfWork};
use super::writer::{ActionError, ActionOutcome, Deps, IdempotencyKey, Job};
use crate::clock::Ids;
use crate::db::commands::CommandRecord;
use crate::db::{self, DbError};

/// Result of one job in memory: the answer, and the number of pending entries after it.
type Verdict = Result<(Answer, Option<usize>), Refusal>;

pub(super) struct Batch<'a> {
    pub(super) unit: UnitOfWork,
    pub(super) rows: PendingWrites,
    at: Timestamp,
    ids: &'a Ids,
    known: Vec<CommandRecord>,
    old: Old,
    /// One verdict per job; `None` for a command that was decided before.
    verdicts: Vec<Option<Verdict>>,
}

impl<'a> Batch<'a> {
    /// Creates a batch with nothing loaded.
    pub(super) fn new(unit: UnitOfWork, at: Timestamp, ids: &'a Ids) -> Self {
        Self {
            unit,
            rows: PendingWrites::at(at),
            at,
            ids,
            known: Vec::new(),
            old: Old::default(),
            verdicts: Vec::new(),
        }
    }

    /// Loads the commands' records, and the read set of all actions.
    pub(super) async fn look(&mut self, conn: &mut PgConnection, jobs: &[&Job], deps: &Deps) -> Result<(), DbError> {
        let site = self.unit.site.id;
        let keys = || jobs.iter().filter_map(|job| job.key.as_ref());
        let ids: Vec<_> = keys().map(|key| key.id.0).collect();
        if !ids.is_empty() {
            self.known = db::commands::find(conn, site, &ids).await?;
            self.old = Old::look(conn, site, keys(), &self.known).await?;
        }
        let mut reads = ReadSet::default();
        for job in jobs {
            job.action.reads(&mut reads);
            if let Some(person) = job.actor.person() {
                reads.entity(person.id);
                job.action.reads_of_actor(person.id, &mut reads);
            }
        }
        self.unit.reachable =
            reads.reachable.iter().copied().filter(|person| deps.presence.is_online(*person)).collect();
        let at = jobs.iter().map(|job| job.at.unwrap_or(self.at)).min().unwrap_or(self.at);
        store::load(conn, &mut self.unit, &reads, at).await?;
        let holders = self.unit.each::<Request>().filter_map(|request| request.holder()).map(|holder| holder.id);
        let there: Vec<_> = holders.filter(|person| deps.presence.is_online(*person)).collect();
        self.unit.reachable.extend(there);
        Ok(())
    }

    /// Decides each job on the state left by those before it.
    pub(super) fn decide(&mut self, jobs: &[&Job]) -> Result<(), DbError> {
        for (place, job) in jobs.iter().enumerate() {
            let earlier =
                |key: &IdempotencyKey| jobs[..place].iter().any(|job| job.key.as_ref().is_some_and(|k| k.id == key.id));
            let again = job.key.as_ref().is_some_and(|key| earlier(key) || self.is_known(key.id));
            let verdict = if again { None } else { Some(self.decide_one(job)?) };
            self.verdicts.push(verdict);
        }
        Ok(())
    }

    /// Whether a command was decided before, as far as its record or the log still shows.
    fn is_known(&self, id: CommandId) -> bool {
        self.known.iter().any(|decided| decided.outcome.id == id) || self.old.trace(id).is_some()
    }

    fn decide_one(&mut self, job: &Job) -> Result<Verdict, DbError> {
        if let Some(refusal) = job.key.as_ref().and_then(|key| self.old.refusal(key)) {
            return Ok(Err(refusal));
        }
        let actor = match &job.actor {
            Actor::Person(person) => match self.unit.get(person.id) {
                Some(person) => Actor::Person(person.clone()),
                None => return Ok(Err(Refusal::not_found("person"))),
            },
            Actor::Button { name } => Actor::Button { name: self.unit.called(name).to_owned() },
            Actor::System => Actor::System,
        };
        let ctx = ActionContext { at: job.at.unwrap_or(self.at), actor: &actor, ids: self.ids };
        match job.action.decide(&self.unit, &ctx) {
            Err(refusal) => Ok(Err(refusal)),
            Ok(steps) => {
                let before = self.rows.entries.len();
                let command_id = job.key.as_ref().map(|key| key.id);
                let signature = Signature { ctx, source: job.source, command_id };
                store::apply(&mut self.unit, &mut self.rows, steps.steps, &signature)?;
                let after = self.rows.entries.len();
                Ok(Ok((steps.answer, (after > before).then_some(after))))
            }
        }
    }

    /// Returns the results, for a known head of the log, and the command records to be stored.
    pub(super) fn outcomes(
        &mut self,
        jobs: &[&Job],
        head: u64,
    ) -> (Vec<Result<ActionOutcome, ActionError>>, Vec<CommandRecord>) {
        let total = self.rows.entries.len();
        let mut results = Vec::with_capacity(jobs.len());
        let mut decided = Vec::new();
        for (job, verdict) in jobs.iter().zip(self.verdicts.drain(..)) {
            let result = match (verdict, &job.key) {
                (Some(verdict), key) => {
                    let seq = |entries: usize| head - u64::try_from(total - entries).unwrap_or_default();
                    let result = verdict.map(|(answer, entries)| ActionOutcome { seq: entries.map(seq), answer });
                    if let Some(key) = key {
                        decided.push(remembered(key, &job.actor, &result));
                    }
                    result.map_err(ActionError::Refused)
                }
                (None, Some(key)) => {
                    let before = self.known.iter().chain(&decided).find(|decided| decided.outcome.id == key.id);
                    match (before, self.old.trace(key.id)) {
                        (Some(before), _) => repeated(before, key, &job.actor),
                        (None, Some(trace)) if trace.person == job.actor.person().map(|person| person.id.0) => {
                            Ok(ActionOutcome { seq: Some(trace.seq), answer: Answer::Done })
                        }
                        (None, Some(_)) => Err(key_reused().into()),
                        (None, None) => Err(ActionError::Internal),
                    }
                }
                (None, None) => Err(ActionError::Internal),
            };
            results.push(result);
        }
        (results, decided)
    }
}

fn remembered(key: &IdempotencyKey, actor: &Actor, result: &Result<ActionOutcome, Refusal>) -> CommandRecord {
    CommandRecord {
        outcome: Outcome {
            id: key.id,
            seq: result.as_ref().ok().and_then(|done| done.seq),
            refusal: result.as_ref().err().cloned(),
        },
        person: actor.person().map(|person| person.id.0),
        verb: key.verb.clone(),
        digest: key.digest.clone(),
        made_at: key.made_at,
    }
}

/// Returns the stored outcome for a repeated command; a refusal if another command, or another person, used its id.
fn repeated(before: &CommandRecord, key: &IdempotencyKey, actor: &Actor) -> Result<ActionOutcome, ActionError> {
    if before.digest != key.digest || before.person != actor.person().map(|person| person.id.0) {
        return Err(key_reused().with("verb", &before.verb).into());
    }
    match &before.outcome.refusal {
        Some(refusal) => Err(refusal.clone().into()),
        None => Ok(ActionOutcome { seq: before.outcome.seq, answer: Answer::Done }),
    }
}

fn key_reused() -> Refusal {
    Refusal::new(Code::KeyReused, "This id was used for another command.")
}
