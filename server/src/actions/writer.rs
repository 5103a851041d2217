//! The one writer of a site on this node: the pipeline that every action goes through.
//!
//! Actions queue to it. Alone, an action waits for nobody; those that wait while the writer is busy go into one
//! transaction, with one bump of the counter and one flush to disk. Within the batch they decide one after the other
//! on the same [`World`], so the second accept of a request sees the first. Deciding happens in memory: a refusal costs
//! no savepoint. Should the database itself refuse the batch (a unique name, say), or should an action panic, it is rolled
//! back and done in halves, so that one of them never takes its neighbours down and costs them little. Should a row be held
//! that some of them need, it is done apart: what devices say together, then the commands one by one.
//!
//! Nothing is done twice: from the moment that a commit is asked for, whatever goes wrong leaves the outcome unknown, and
//! whoever asked is told to ask again under the same id.

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
use super::refusals::{Conflict, conflict_of, refusal_of};
use super::steps::Answer;
use super::store;
use super::world::{Wants, World};
use super::{Action, Moment};
use crate::clock::{Clock, Ids};
use crate::db::{self, Db, DbError};
use crate::live::Presence;
use crate::log::{LogEntry, Tail};

/// Something to be done, and for whom.
#[derive(Debug)]
pub struct Job {
    /// What.
    pub action: Box<dyn Action>,
    /// Who acts.
    pub actor: Actor,
    /// Through which door it came.
    pub source: Source,
    /// The command, when it is one: then its outcome is remembered.
    pub key: Option<Key>,
    /// When it happened, for history that is loaded; now, when none.
    pub at: Option<Timestamp>,
}

/// What identifies a command.
#[derive(Clone, Debug)]
pub struct Key {
    /// The command's id.
    pub id: CommandId,
    /// The verb's name.
    pub verb: String,
    /// SHA-256 of the verb with its arguments.
    pub digest: Vec<u8>,
    /// When the person acted, by their device's clock.
    pub made_at: Option<Timestamp>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The number of the last entry that it made; none when it made none.
    pub seq: Option<u64>,
    /// What whoever asked wants to know.
    pub answer: Answer,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotDone {
    /// The rules' "no".
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database is away; the same again may work. Whether it was done is unknown, so the same again must carry
    /// the same id.
    #[error("the database is away")]
    Unavailable,
    /// The server failed; it has been logged.
    #[error("the server failed")]
    Internal,
}

type Reply = oneshot::Sender<Result<Done, NotDone>>;

/// The way to a site's writer.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<(Job, Reply)>,
    failing: Arc<AtomicBool>,
}

/// How a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It writes, as far as it was asked to.
    Writing,
    /// The database took nothing of what it was given last.
    Failing,
    /// It is gone.
    Gone,
}

/// What a writer works with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// The newest entries, which it adds to.
    pub tail: Arc<Tail>,
    /// Who is there: what the database can't know.
    pub presence: Arc<Presence>,
}

impl Writer {
    /// Actions that may wait; whoever brings more waits until there is room.
    const QUEUE: usize = 4096;

    /// Actions in one transaction at most. Bounded so that a batch's latency stays below some milliseconds.
    const BATCH: usize = 256;

    /// Starts the writer of a site, which takes jobs until `closing` is cancelled and then finishes those that wait.
    pub fn start(site: SiteId, deps: Deps, closing: CancellationToken, tasks: &TaskTracker) -> Self {
        let (queue, mut jobs) = mpsc::channel(Self::QUEUE);
        let desk = Desk::new(site, deps.clone());
        let failing = Arc::clone(&desk.failing);
        tasks.spawn(async move {
            let mut desk = desk;
            // A panic outside of a transaction leaves those unanswered who asked, and nobody who comes after them.
            while AssertUnwindSafe(desk.run(&mut jobs, &closing)).catch_unwind().await.is_err() {
                tracing::error!(%site, "A site's writer panicked and starts anew.");
                metrics::counter!("actions_panics_total").increment(1);
                desk = Desk { failing: Arc::clone(&desk.failing), ..Desk::new(site, deps.clone()) };
            }
        });
        Self { queue, failing }
    }

    /// Does something, and tells when it is durable.
    ///
    /// # Errors
    /// The rules' "no", or the server can't.
    pub async fn act(&self, job: Job) -> Result<Done, NotDone> {
        let (reply, done) = oneshot::channel();
        self.queue.send((job, reply)).await.map_err(|_| NotDone::Unavailable)?;
        done.await.map_err(|_| NotDone::Unavailable)?
    }

    /// How it is.
    pub fn health(&self) -> Health {
        match (self.queue.is_closed(), self.failing.load(Ordering::Relaxed)) {
            (true, _) => Health::Gone,
            (false, true) => Health::Failing,
            (false, false) => Health::Writing,
        }
    }
}

/// Creates a site: the one thing that no site's writer can do.
///
/// # Errors
/// `name_taken` for a slug that another site has, `invalid` for one that can't be; or the database is away.
pub(super) async fn create_site(
    db: &Db,
    clock: &Clock,
    ids: &Ids,
    site: Site,
    action: Box<dyn Action>,
    at: Option<Timestamp>,
) -> Result<(), NotDone> {
    let job = Job { action, actor: Actor::System, source: Source::Server, key: None, at };
    let deps = Deps {
        db: db.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        tail: Arc::new(Tail::new(0)),
        presence: Arc::default(),
    };
    let mut desk = Desk::new(site.id, deps);
    let mut created = Err(NotDone::Internal);
    desk.all(&[job], Some(&site), |_, result| created = result.map(|_| ())).await;
    created
}

struct Desk {
    site: SiteId,
    deps: Deps,
    /// The site as of an entry of its log.
    known_site: Option<(Site, u64)>,
    /// Whether a commit was asked for in the present transaction: then its outcome is unknown until it is told.
    committing: bool,
    /// Whether somebody held the last batch up, as they may the next.
    held_up: bool,
    /// Whether the last transaction came to nothing because of the database.
    failing: Arc<AtomicBool>,
}

/// Why a transaction came to nothing.
enum Failure {
    /// Because of the database.
    Db(DbError),
    /// Because of a fault of ours. Nothing was committed.
    Panicked,
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// What is otherwise in a transaction.
#[derive(Clone, Copy, Default)]
struct How<'a> {
    /// The site that is made by it.
    new: Option<&'a Site>,
    /// Whether presses are recorded without the identity that their device gave them.
    nameless: bool,
    /// Whether it waits only shortly for what somebody holds, because that was waited for already.
    hurried: bool,
}

type Results = Vec<Result<Done, NotDone>>;

/// What a transaction waits for at most once a batch was held up: another server has a row for milliseconds.
const HURRIED: &str = "set local lock_timeout = '250ms'; set local statement_timeout = '2s'";

/// The parts in which a part of a batch is done that somebody holds up, the last one first: what devices say, which nobody
/// says again by hand, and then each command by itself. What is one of the two alone is done one by one.
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

impl Desk {
    /// How long a transaction may take; longer than any lock or flush that ends well.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// For how long after a batch was held up its jobs are still tried apart. Presses that came since wait behind it, which
    /// their door does for 5 s; whoever isn't served asks again.
    const APART: Duration = Duration::from_secs(2);

    /// Keeps a server whose database is away from spinning.
    const PAUSE: Duration = Duration::from_millis(100);

    fn new(site: SiteId, deps: Deps) -> Self {
        Self { site, deps, known_site: None, committing: false, held_up: false, failing: Arc::default() }
    }

    async fn run(&mut self, jobs: &mut mpsc::Receiver<(Job, Reply)>, closing: &CancellationToken) {
        let mut batch = Vec::with_capacity(Writer::BATCH);
        loop {
            // The way to the writer is held by whoever holds the site, so its end is no sign that work is over.
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
                // Whoever asked may have hung up; what was done stays done.
                let _ = replies[at].take().map(|reply| reply.send(result));
            };
            self.all(&jobs, None, answer).await;
        }
    }

    /// Does a batch, in order: whole, and where that is refused in halves, down to the ones that are to blame. Where it is
    /// held up, it is done apart. Once the database is away, the rest isn't tried.
    ///
    /// What became of each job is answered as soon as it is durable: what is done waits for nothing that is still held up.
    async fn all(&mut self, jobs: &[Job], new: Option<&Site>, mut answer: impl FnMut(usize, Result<Done, NotDone>)) {
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
            answer(at, Err(NotDone::Unavailable));
        }
    }

    /// What becomes of a job that can't be done as it is.
    ///
    /// # Errors
    /// The database is away.
    async fn blame(&mut self, job: &Job, failure: Failure, how: How<'_>) -> Result<Result<Done, NotDone>, DbError> {
        let error = match failure {
            Failure::Panicked => return Ok(Err(NotDone::Internal)),
            Failure::Db(error) => error,
        };
        let Some(conflict) = conflict_of(&error) else { return self.refused(job, &error).await };
        // Somebody else was faster, whom the look-up didn't see yet: it does now. Where it still doesn't see a press, it isn't
        // looked for, and then the press is another one than the one that has its identity: in doubt it rings.
        let mut error = error;
        for nameless in [false, true] {
            match self.attempt(&[job], How { nameless, ..how }).await {
                Ok(mut results) => return Ok(results.pop().unwrap_or(Err(NotDone::Internal))),
                Err(Failure::Panicked) => return Ok(Err(NotDone::Internal)),
                Err(Failure::Db(again)) if again.is_transient() => return Err(again),
                Err(Failure::Db(again)) => error = again,
            }
            if conflict != Conflict::Press {
                break;
            }
        }
        self.refused(job, &error).await
    }

    /// Turns the database's "no" to one job into a refusal, and remembers it where the job is a command.
    ///
    /// # Errors
    /// The database is away.
    async fn refused(&mut self, job: &Job, error: &DbError) -> Result<Result<Done, NotDone>, DbError> {
        // Not the action itself: it may hold a guest's name, or what somebody wrote.
        let verb = job.key.as_ref().map(|key| key.verb.as_str());
        let Some(refusal) = refusal_of(error) else {
            tracing::error!(site = %self.site, %error, verb, "An action failed.");
            return Ok(Err(NotDone::Internal));
        };
        if job.key.is_some() {
            let action = Box::new(Refuse(refusal.clone()));
            let (actor, key) = (job.actor.clone(), job.key.clone());
            let remember = Job { action, actor, source: job.source, key, at: job.at };
            match self.attempt(&[&remember], How::default()).await {
                Ok(_) | Err(Failure::Panicked) => {}
                Err(Failure::Db(error)) if error.is_transient() => return Err(error),
                // The same again will be refused the same, remembered or not.
                Err(Failure::Db(error)) => {
                    tracing::error!(site = %self.site, %error, verb, "A refusal could not be remembered.");
                }
            }
        }
        Ok(Err(NotDone::Refused(refusal)))
    }

    /// The connection may be broken: it was dropped, and the next batch takes another.
    fn failed(&mut self, error: &DbError) {
        tracing::warn!(site = %self.site, %error, "The database did not take a batch; nothing of it was acknowledged.");
        metrics::counter!("actions_failed_batches_total").increment(1);
        self.failing.store(true, Ordering::Relaxed);
    }

    /// One transaction. A database that doesn't answer in time is away, whatever its sockets say: then nothing was
    /// acknowledged, and the connection is dropped with whatever it was doing. So it is when an action panics.
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

    /// The site as it was at the end of the last batch, unless somebody else has written since: then its settings may
    /// be others. Another's writing is noticed within a second, so a press is never decided by settings older than that.
    fn remembered(&self) -> Option<&(Site, u64)> {
        self.known_site.as_ref().filter(|(_, head)| self.deps.tail.head() == *head)
    }

    /// Takes a connection and gives it back, unless it may be broken. What the database refused is rolled back at once, so
    /// that its locks don't wait for the next batch.
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
        // It is done. Nothing from here on may fail, or it would be done again.
        conn.keep();
        if decided.wrote {
            self.failing.store(false, Ordering::Relaxed);
        }
        if let Some(told) = decided.told {
            self.known_site = told.site;
            self.deps.tail.push(told.entries);
        }
        Ok(decided.results)
    }

    /// All of a transaction but its commit.
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
        let mut batch = Batch::new(World::new(site), at, &self.deps.ids);
        batch.rows.nameless = how.nameless;
        batch.look(tx, jobs, &self.deps).await?;
        batch.decide(jobs)?;
        let head = store::save(tx, &batch.world, &batch.rows).await?;
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
        let site = (before == as_of).then_some((batch.world.site, head));
        Ok(Outcomes { results, wrote, told: Some(Told { site, entries }) })
    }
}

/// What a transaction comes to, once it is committed.
struct Outcomes {
    results: Results,
    /// Whether there was something to write: the database took it.
    wrote: bool,
    told: Option<Told>,
}

/// What is remembered, and told to the readers.
struct Told {
    site: Option<(Site, u64)>,
    entries: Vec<Arc<LogEntry>>,
}

/// A refusal that was found elsewhere: by the database, or by what the command depends on. Deciding it remembers it.
#[derive(Debug)]
pub struct Refuse(pub Refusal);

impl Action for Refuse {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<super::Steps, Refusal> {
        Err(self.0.clone())
    }
}
