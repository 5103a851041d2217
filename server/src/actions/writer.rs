//! The single writer of a site on this node: the pipeline of every action.
//!
//! Actions are queued. A lone action is executed at once; actions that queue while the writer is busy share one
//! transaction, with one bump of the counter and one flush to disk. Within the batch they are decided in order on the
//! same [`UnitOfWork`](super::UnitOfWork), so the second accept of a request sees the first. Decisions happen in memory:
//! a refusal needs no savepoint.
//!
//! If the database itself refuses the batch (a unique name, say), or an action panics, the batch is rolled back and
//! split in halves, so that one action never fails its neighbours and costs them little. If another transaction holds a
//! lock that some of them need, the batch is split: first all device messages together, then each command by itself.
//!
//! No action is executed twice: once a commit has been requested, any failure leaves the outcome unknown, and the
//! caller must retry under the same id.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use crewbell_shared::site::Site;
use futures_util::FutureExt;
use jiff::Timestamp;
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::batch::Batch;
use super::effects::Answer;
use super::refusals::{Conflict, conflict_of, refusal_from_db_error};
use super::store;
use super::unit_of_work::{ReadSet, UnitOfWork};
use super::{Action, ActionContext};
use crate::clock::{Clock, Ids};
use crate::db::{self, Db, DbError};
use crate::live::Presence;
use crate::log::{LogEntry, RecentEntries};

/// A queued action, with its actor and origin.
#[derive(Debug)]
pub struct Job {
    /// The action.
    pub action: Box<dyn Action>,
    /// The actor.
    pub actor: Actor,
    /// The source of the action.
    pub source: Source,
    /// The command's idempotency key, if the action is a command: then its outcome is recorded.
    pub key: Option<IdempotencyKey>,
    /// When it happened, for history that is loaded; `None` is the current time.
    pub at: Option<Timestamp>,
}

/// The idempotency key of a command.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// The command's id.
    pub id: CommandId,
    /// The verb's name.
    pub verb: String,
    /// SHA-256 of the verb with its arguments.
    pub digest: Vec<u8>,
    /// When the person acted, by their device's clock.
    pub made_at: Option<Timestamp>,
}

/// The outcome of a committed action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionOutcome {
    /// Sequence number of the last entry that it appended; `None` if it appended none.
    pub seq: Option<u64>,
    /// The answer to the caller.
    pub answer: Answer,
}

/// The reason why an action was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// The rules refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database is unavailable. Whether the action was done is unknown, so a retry must carry the same id.
    #[error("the database is away")]
    Unavailable,
    /// The server failed, which has been logged.
    #[error("the server failed")]
    Internal,
}

type Reply = oneshot::Sender<Result<ActionOutcome, ActionError>>;

/// Handle to a site's writer.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<(Job, Reply)>,
    failing: Arc<AtomicBool>,
}

/// The health of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The last write succeeded, or none was tried.
    Writing,
    /// The last batch failed because of the database.
    Failing,
    /// The writer has ended.
    Gone,
}

/// The dependencies of a writer.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Generator of ids.
    pub ids: Ids,
    /// Cache of the newest entries, which the writer fills.
    pub recent: Arc<RecentEntries>,
    /// Presence of people, which the database doesn't have.
    pub presence: Arc<Presence>,
}

impl Writer {
    /// Length of the queue; when it is full, callers wait.
    const QUEUE: usize = 4096;

    /// Maximum actions in one transaction. The bound keeps a batch's latency below some milliseconds.
    const BATCH: usize = 256;

    /// Starts the writer of a site. It takes jobs until `closing` is cancelled, and then finishes the queued ones.
    pub fn start(site: SiteId, deps: Deps, closing: CancellationToken, tasks: &TaskTracker) -> Self {
        let (queue, mut jobs) = mpsc::channel(Self::QUEUE);
        let desk = WriterTask::new(site, deps.clone());
        let failing = Arc::clone(&desk.failing);
        tasks.spawn(async move {
            let mut desk = desk;
            // A panic outside a transaction leaves only the jobs of its batch unanswered.
            while AssertUnwindSafe(desk.run(&mut jobs, &closing)).catch_unwind().await.is_err() {
                tracing::error!(%site, "A site's writer panicked and starts anew.");
                metrics::counter!("actions_panics_total").increment(1);
                desk = WriterTask { failing: Arc::clone(&desk.failing), ..WriterTask::new(site, deps.clone()) };
            }
        });
        Self { queue, failing }
    }

    /// Executes an action, and returns once it is durable.
    ///
    /// # Errors
    /// Returns an error if the rules refuse the action, or if the server can't execute it.
    pub async fn act(&self, job: Job) -> Result<ActionOutcome, ActionError> {
        let (reply, done) = oneshot::channel();
        self.queue.send((job, reply)).await.map_err(|_| ActionError::Unavailable)?;
        done.await.map_err(|_| ActionError::Unavailable)?
    }

    /// Returns the writer's health.
    pub fn health(&self) -> Health {
        match (self.queue.is_closed(), self.failing.load(Ordering::Relaxed)) {
            (true, _) => Health::Gone,
            (false, true) => Health::Failing,
            (false, false) => Health::Writing,
        }
    }
}

/// Creates a site: the one action that runs without a site's writer.
///
/// # Errors
/// Returns `name_taken` for a slug that another site has, `invalid` for a malformed one, or an error if the database is
/// unavailable.
pub(super) async fn create_site(
    db: &Db,
    clock: &Clock,
    ids: &Ids,
    site: Site,
    action: Box<dyn Action>,
    at: Option<Timestamp>,
) -> Result<(), ActionError> {
    let job = Job { action, actor: Actor::System, source: Source::Server, key: None, at };
    let deps = Deps {
        db: db.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        recent: Arc::new(RecentEntries::new(0)),
        presence: Arc::default(),
    };
    let mut desk = WriterTask::new(site.id, deps);
    let mut created = Err(ActionError::Internal);
    desk.all(&[job], Some(&site), |_, result| created = result.map(|_| ())).await;
    created
}

struct WriterTask {
    site: SiteId,
    deps: Deps,
    /// The site's cached row, as of a sequence number of its log.
    known_site: Option<(Site, u64)>,
    /// Whether the commit of the current transaction was requested: then its outcome is unknown until the database
    /// replies.
    committing: bool,
    /// Whether the last batch was delayed by a lock, as the next may be.
    held_up: bool,
    /// Whether the last transaction failed because of the database.
    failing: Arc<AtomicBool>,
}

/// The reason why a transaction failed.
enum Failure {
    /// An error of the database.
    Db(DbError),
    /// A panic. Nothing was committed.
    Panicked,
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Options of a transaction.
#[derive(Clone, Copy, Default)]
struct How<'a> {
    /// The site that it creates.
    new: Option<&'a Site>,
    /// Whether presses are recorded without their device's key.
    nameless: bool,
    /// Whether it waits only briefly for locks, because an earlier transaction has waited for them already.
    hurried: bool,
}

type Results = Vec<Result<ActionOutcome, ActionError>>;

/// Lock and statement timeouts once a batch was delayed by a lock: another server holds a row only for milliseconds.
const HURRIED: &str = "set local lock_timeout = '250ms'; set local statement_timeout = '2s'";

/// Splits a part of a batch that is delayed by a lock, in reverse order of execution: all device messages together,
/// which nobody resends by hand, and then each command by itself. A part of only one kind is split into single jobs.
fn apart(jobs: &[Job], part: Vec<usize>) -> Vec<Vec<usize>> {
    if part.len() == 1 {
        return Vec::new();
    }
    let (commands, said): (Vec<usize>, Vec<usize>) = part.into_iter().partition(|at| jobs[*at].key.is_some());
    let one_by_one = |part: Vec<usize>| part.into_iter().rev().map(|at| vec![at]);
    if commands.is_empty() {
        return one_by_one(said).collect();
    }
    one_by_one(commands).chain((!said.is_empty()).then_some(said)).collect()
}

impl WriterTask {
    /// Timeout of a transaction; longer than any lock or flush that succeeds.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// How long the parts of a delayed batch are still tried. Presses queued behind it time out at their endpoint after
    /// 5 s; unserved callers retry.
    const APART: Duration = Duration::from_secs(2);

    /// Pause after a failure, so that the server doesn't spin while the database is unavailable.
    const PAUSE: Duration = Duration::from_millis(100);

    fn new(site: SiteId, deps: Deps) -> Self {
        Self { site, deps, known_site: None, committing: false, held_up: false, failing: Arc::default() }
    }

    async fn run(&mut self, jobs: &mut mpsc::Receiver<(Job, Reply)>, closing: &CancellationToken) {
        let mut batch = Vec::with_capacity(Writer::BATCH);
        loop {
            // The sender is owned by the open site, so a closed channel is no shutdown signal.
            let taken = tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => {
                    jobs.close();
                    continue;
                }
                taken = jobs.recv_many(&mut batch, Writer::BATCH) => taken,
            };
            if taken == 0 {
                return;
            }
            metrics::histogram!("actions_batch_size").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
            let (jobs, replies): (Vec<Job>, Vec<Reply>) = std::mem::take(&mut batch).into_iter().unzip();
            let mut replies: Vec<_> = replies.into_iter().map(Some).collect();
            let answer = |at: usize, result| {
                // The caller may have hung up; what was done stays done.
                let _ = replies[at].take().map(|reply| reply.send(result));
            };
            self.all(&jobs, None, answer).await;
        }
    }

    /// Executes a batch, in order: whole, and where it is refused in halves, down to the jobs at fault. Where it is
    /// delayed by a lock, it is split by [`apart`]. Once the database is unavailable, the rest isn't tried.
    ///
    /// Each job is answered as soon as it is durable: a finished job doesn't wait for a delayed one.
    async fn all(
        &mut self,
        jobs: &[Job],
        new: Option<&Site>,
        mut answer: impl FnMut(usize, Result<ActionOutcome, ActionError>),
    ) {
        let mut open: BTreeSet<usize> = (0..jobs.len()).collect();
        let mut settle = |at: usize, result| {
            open.remove(&at);
            answer(at, result);
        };
        let mut parts: Vec<Vec<usize>> = vec![(0..jobs.len()).collect()];
        let mut apart_until = None;
        while let Some(part) = parts.pop() {
            if apart_until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            let these: Vec<&Job> = part.iter().map(|at| &jobs[*at]).collect();
            let how = How { new, hurried: self.held_up, ..How::default() };
            let error = match (self.attempt(&these, how).await, these.as_slice()) {
                (Ok(done), _) => {
                    part.into_iter().zip(done).for_each(|(at, done)| settle(at, done));
                    continue;
                }
                (Err(Failure::Db(error)), _) if error.is_transient() => error,
                (Err(failure), [job]) => match self.blame(job, failure, how).await {
                    Ok(result) => {
                        settle(part[0], result);
                        continue;
                    }
                    Err(error) => error,
                },
                (Err(_), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second.to_vec(), first.to_vec()]);
                    continue;
                }
            };
            self.failed(&error);
            if !(error.is_held_up() && jobs.len() > 1) {
                tokio::time::sleep(Self::PAUSE).await;
                break;
            }
            self.held_up = true;
            apart_until.get_or_insert_with(|| Instant::now() + Self::APART);
            parts.extend(apart(jobs, part));
        }
        self.held_up = apart_until.is_some();
        for at in open {
            answer(at, Err(ActionError::Unavailable));
        }
    }

    /// Decides the result of a single job that failed: retries it after a key conflict, otherwise turns the error into
    /// a refusal.
    ///
    /// # Errors
    /// Returns an error if the database is unavailable.
    async fn blame(
        &mut self,
        job: &Job,
        failure: Failure,
        how: How<'_>,
    ) -> Result<Result<ActionOutcome, ActionError>, DbError> {
        let error = match failure {
            Failure::Panicked => return Ok(Err(ActionError::Internal)),
            Failure::Db(error) => error,
        };
        let Some(conflict) = conflict_of(&error) else { return self.refused(job, &error).await };
        // Another writer was faster, and the look-up didn't see its row yet; a retry sees it. If the look-up still
        // doesn't find a press with this key, then it is a different press under the same key: in doubt it rings.
        let mut error = error;
        for nameless in [false, true] {
            match self.attempt(&[job], How { nameless, ..how }).await {
                Ok(mut results) => return Ok(results.pop().unwrap_or(Err(ActionError::Internal))),
                Err(Failure::Panicked) => return Ok(Err(ActionError::Internal)),
                Err(Failure::Db(again)) if again.is_transient() => return Err(again),
                Err(Failure::Db(again)) => error = again,
            }
            if conflict != Conflict::Press {
                break;
            }
        }
        self.refused(job, &error).await
    }

    /// Converts the database's error for one job into a refusal, and records it if the job is a command.
    ///
    /// # Errors
    /// Returns an error if the database is unavailable.
    async fn refused(&mut self, job: &Job, error: &DbError) -> Result<Result<ActionOutcome, ActionError>, DbError> {
        // The action itself isn't logged: it may hold a guest's name, or a person's text.
        let verb = job.key.as_ref().map(|key| key.verb.as_str());
        let Some(refusal) = refusal_from_db_error(error) else {
            tracing::error!(site = %self.site, %error, verb, "An action failed.");
            return Ok(Err(ActionError::Internal));
        };
        if job.key.is_some() {
            let action = Box::new(Refuse(refusal.clone()));
            let (actor, key) = (job.actor.clone(), job.key.clone());
            let remember = Job { action, actor, source: job.source, key, at: job.at };
            match self.attempt(&[&remember], How::default()).await {
                Ok(_) | Err(Failure::Panicked) => {}
                Err(Failure::Db(error)) if error.is_transient() => return Err(error),
                // The same command will be refused the same, recorded or not.
                Err(Failure::Db(error)) => {
                    tracing::error!(site = %self.site, %error, verb, "A refusal could not be remembered.");
                }
            }
        }
        Ok(Err(ActionError::Refused(refusal)))
    }

    /// Logs a failed batch. The connection may be broken: it was dropped, and the next batch takes another.
    fn failed(&mut self, error: &DbError) {
        tracing::warn!(site = %self.site, %error, "The database did not take a batch; nothing of it was acknowledged.");
        metrics::counter!("actions_failed_batches_total").increment(1);
        self.failing.store(true, Ordering::Relaxed);
    }

    /// Runs one transaction. A database that doesn't answer in time counts as unavailable, whatever its sockets report:
    /// nothing was acknowledged, and the connection is dropped with its transaction. The same applies when an action
    /// panics.
    async fn attempt(&mut self, jobs: &[&Job], how: How<'_>) -> Result<Results, Failure> {
        self.committing = false;
        let transaction = tokio::time::timeout(Self::PATIENCE, self.transact(jobs, how));
        match AssertUnwindSafe(transaction).catch_unwind().await {
            Ok(Ok(Ok(results))) => Ok(results),
            Ok(Ok(Err(error))) => Err(error.into()),
            Ok(Err(_)) => Err(DbError::TooSlow.into()),
            Err(_) => {
                let verb = jobs.first().filter(|_| jobs.len() == 1).and_then(|job| job.key.as_ref());
                let verb = verb.map(|key| key.verb.as_str());
                tracing::error!(site = %self.site, verb, jobs = jobs.len(), "A batch of actions panicked.");
                metrics::counter!("actions_panics_total").increment(1);
                self.known_site = None;
                let unknown = || Failure::from(DbError::Unknown(sqlx::Error::WorkerCrashed));
                Err(if self.committing { unknown() } else { Failure::Panicked })
            }
        }
    }

    /// Returns the cached site, unless another process has written since: then its settings may have changed. Entries
    /// of another process are noticed within a second, so no press is decided by settings older than that.
    fn remembered(&self) -> Option<&(Site, u64)> {
        self.known_site.as_ref().filter(|(_, head)| self.deps.recent.head() == *head)
    }

    /// Takes a connection and gives it back, unless it may be broken. A refused transaction is rolled back at once, so
    /// that its locks don't last until the next batch.
    async fn transact(&mut self, jobs: &[&Job], how: How<'_>) -> Result<Results, DbError> {
        let mut conn = self.deps.db.connect(self.site).await?;
        let mut tx = conn.begin().await?;
        if how.hurried {
            sqlx::raw_sql(HURRIED).execute(&mut *tx).await?;
        }
        let decided = match self.decided(&mut tx, jobs, how).await {
            Ok(decided) => decided,
            Err(error) => {
                if (error.is_held_up() || !error.is_transient()) && tx.rollback().await.is_ok() {
                    conn.keep();
                }
                return Err(error);
            }
        };
        self.committing = true;
        tx.commit().await.map_err(DbError::Unknown)?;
        // The transaction is committed. Nothing after this may fail, or the jobs would be executed again.
        conn.keep();
        if decided.wrote {
            self.failing.store(false, Ordering::Relaxed);
        }
        if let Some(told) = decided.told {
            self.known_site = told.site;
            self.deps.recent.push(told.entries);
        }
        Ok(decided.results)
    }

    /// Runs all of a transaction except its commit.
    async fn decided(&mut self, tx: &mut PgConnection, jobs: &[&Job], how: How<'_>) -> Result<Outcomes, DbError> {
        let at = self.deps.clock.now();
        let (site, as_of) = match (how.new, self.remembered()) {
            (Some(site), _) => (site.clone(), 0),
            (None, Some((site, as_of))) => (site.clone(), *as_of),
            (None, None) => {
                let known = db::sites::find(tx, self.site).await?.ok_or(sqlx::Error::RowNotFound)?;
                (known.site, known.head)
            }
        };
        let slug = site.slug.clone();
        let mut batch = Batch::new(UnitOfWork::new(site), at, &self.deps.ids);
        batch.rows.nameless = how.nameless;
        batch.look(tx, jobs, &self.deps).await?;
        batch.decide(jobs)?;
        let head = store::save(tx, &batch.unit, &batch.rows).await?;
        let (results, decided) = batch.outcomes(jobs, head.unwrap_or_default());
        if !decided.is_empty() {
            db::commands::save(tx, self.site, at, &decided).await?;
        }
        let wrote = head.is_some() || !decided.is_empty() || batch.rows.proof;
        let Some(head) = head else { return Ok(Outcomes { results, wrote, told: None }) };
        let before = head - u64::try_from(batch.rows.entries.len()).unwrap_or_default();
        let numbered = batch.rows.entries.into_iter().zip(before + 1..);
        let entries = numbered.map(|(row, seq)| LogEntry::new(&slug, seq, row).map(Arc::new));
        let entries = entries.collect::<Result<_, _>>()?;
        let site = (before == as_of).then_some((batch.unit.site, head));
        Ok(Outcomes { results, wrote, told: Some(Published { site, entries }) })
    }
}

/// Results of a transaction, valid once it is committed.
struct Outcomes {
    results: Results,
    /// Whether the transaction wrote anything, which shows that the database takes writes.
    wrote: bool,
    told: Option<Published>,
}

/// The site to be cached, and the entries to be published to the readers.
struct Published {
    site: Option<(Site, u64)>,
    entries: Vec<Arc<LogEntry>>,
}

/// An action that is always refused, for a reason found elsewhere: by the database, or in a command that it depends on.
/// Executing it records the refusal.
#[derive(Debug)]
pub struct Refuse(pub Refusal);

impl Action for Refuse {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, _: &UnitOfWork, _: &ActionContext<'_>) -> Result<super::Effects, Refusal> {
        Err(self.0.clone())
    }
}
