//! The one writer of a site on this node: the pipeline that every action goes through.
//!
//! Actions queue to it. Alone, an action waits for nobody; those that wait while the writer is busy go into one
//! transaction, with one bump of the counter and one flush to disk. Within the batch they decide one after the other
//! on the same [`World`], so the second accept of a request sees the first. Deciding happens in memory: a refusal costs
//! no savepoint. Should the database itself refuse the batch (a unique name, say), it is rolled back and its actions
//! run one by one, so that one of them never takes its neighbours down.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::{Outcome, Source};
use crewbell_shared::site::Site;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::steps::Answer;
use super::store::{self, Rows, Signature};
use super::world::{Wants, World};
use super::{Action, Moment};
use crate::clock::{Clock, Ids};
use crate::db::commands::Decided;
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
}

impl Writer {
    /// Actions that may wait; whoever brings more waits until there is room.
    const QUEUE: usize = 4096;

    /// Actions in one transaction at most. Bounded so that a batch's latency stays below some milliseconds.
    const BATCH: usize = 256;

    /// Starts the writer of a site, which takes jobs until `closing` is cancelled and then finishes those that wait.
    pub fn start(
        site: SiteId,
        (db, clock, ids, tail, presence): (Db, Clock, Ids, Arc<Tail>, Arc<Presence>),
        closing: CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let (queue, jobs) = mpsc::channel(Self::QUEUE);
        let desk = Desk { site, db, clock, ids, tail, presence, known_site: None };
        tasks.spawn(desk.run(jobs, closing));
        Self { queue }
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
    let (reply, done) = oneshot::channel();
    let job = Job { action, actor: Actor::System, source: Source::Server, key: None, at };
    let tail = Arc::new(Tail::new(0));
    let mut desk = Desk {
        site: site.id,
        db: db.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        tail,
        presence: Arc::default(),
        known_site: None,
    };
    desk.batch(vec![(job, reply)], Some(site)).await;
    done.await.map_err(|_| NotDone::Unavailable)?.map(|_| ())
}

struct Desk {
    site: SiteId,
    db: Db,
    clock: Clock,
    ids: Ids,
    tail: Arc<Tail>,
    /// Who is there: what the database can't know.
    presence: Arc<Presence>,
    /// The site as of an entry of its log.
    known_site: Option<(Site, u64)>,
}

impl Desk {
    /// How long a transaction may take; longer than any lock or flush that ends well.
    const PATIENCE: Duration = Duration::from_secs(10);

    async fn run(mut self, mut jobs: mpsc::Receiver<(Job, Reply)>, closing: CancellationToken) {
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
            self.batch(std::mem::take(&mut batch), None).await;
        }
    }

    /// Does a batch and answers each of its jobs.
    async fn batch(&mut self, batch: Vec<(Job, Reply)>, new: Option<Site>) {
        let (jobs, replies): (Vec<Job>, Vec<Reply>) = batch.into_iter().unzip();
        let results = match self.attempt(&jobs, new.as_ref()).await {
            Ok(results) => results,
            Err(error) if error.is_transient() => {
                self.failed(&error).await;
                vec![Err(NotDone::Unavailable); jobs.len()]
            }
            Err(error) if jobs.len() == 1 => vec![Err(self.refused(&jobs, error).await)],
            Err(_) => {
                let mut results = Vec::with_capacity(jobs.len());
                for job in jobs.chunks(1) {
                    results.push(self.alone(job).await);
                }
                results
            }
        };
        for (reply, result) in replies.into_iter().zip(results) {
            // Whoever asked may have hung up; what was done stays done.
            let _ = reply.send(result);
        }
    }

    async fn alone(&mut self, job: &[Job]) -> Result<Done, NotDone> {
        match self.attempt(job, None).await {
            Ok(mut results) => results.pop().unwrap_or(Err(NotDone::Internal)),
            Err(error) if error.is_transient() => {
                self.failed(&error).await;
                Err(NotDone::Unavailable)
            }
            Err(error) => Err(self.refused(job, error).await),
        }
    }

    /// Turns the database's "no" to one job into a refusal, and remembers it where the job is a command.
    async fn refused(&mut self, jobs: &[Job], error: DbError) -> NotDone {
        let Some(refusal) = super::refusals::refusal_of(&error) else {
            // Not the action itself: it may hold a guest's name, or what somebody wrote.
            let verb = jobs.first().and_then(|job| job.key.as_ref()).map(|key| key.verb.as_str());
            tracing::error!(site = %self.site, %error, verb, "An action failed.");
            return NotDone::Internal;
        };
        if let Some(job) = jobs.first().filter(|job| job.key.is_some()) {
            let refused = Job {
                action: Box::new(Refuse(refusal.clone())),
                actor: job.actor.clone(),
                source: job.source,
                key: job.key.clone(),
                at: job.at,
            };
            if let Err(error) = self.attempt(&[refused], None).await {
                self.failed(&error).await;
                return NotDone::Unavailable;
            }
        }
        NotDone::Refused(refusal)
    }

    /// The connection may be broken: it was dropped, and the next batch takes another. The pause keeps a server whose
    /// database is away from spinning.
    async fn failed(&mut self, error: &DbError) {
        tracing::warn!(site = %self.site, %error, "The database did not take a batch; nothing of it was acknowledged.");
        metrics::counter!("actions_failed_batches_total").increment(1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// One transaction. A database that doesn't answer in time is away, whatever its sockets say: then nothing was
    /// acknowledged, and the connection is dropped with whatever it was doing.
    async fn attempt(&mut self, jobs: &[Job], new: Option<&Site>) -> Result<Vec<Result<Done, NotDone>>, DbError> {
        match tokio::time::timeout(Self::PATIENCE, self.transact(jobs, new)).await {
            Ok(done) => done,
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// The site as it was at the end of the last batch, unless somebody else has written since: then its settings may
    /// be others. Another's writing is noticed within a second, so a press is never decided by settings older than that.
    fn remembered(&self) -> Option<&(Site, u64)> {
        self.known_site.as_ref().filter(|(_, head)| self.tail.head() == *head)
    }

    async fn transact(&mut self, jobs: &[Job], new: Option<&Site>) -> Result<Vec<Result<Done, NotDone>>, DbError> {
        let mut conn = self.db.connect(self.site).await?;
        let at = self.clock.now();
        let mut tx = conn.begin().await?;
        let (site, as_of) = match (new, self.remembered()) {
            (Some(site), _) => (site.clone(), 0),
            (None, Some((site, as_of))) => (site.clone(), *as_of),
            (None, None) => {
                let known = db::sites::find(&mut tx, self.site).await?.ok_or(sqlx::Error::RowNotFound)?;
                (known.site, known.head)
            }
        };
        let slug = site.slug.clone();
        let mut batch = Batch::new(World::new(site), at, &self.ids);
        batch.look(&mut tx, jobs, &self.presence).await?;
        batch.decide(jobs)?;
        let head = store::save(&mut tx, &batch.world, &batch.rows).await?;
        let (results, decided) = batch.outcomes(jobs, head.unwrap_or_default());
        if !decided.is_empty() {
            db::commands::save(&mut tx, self.site, at, &decided).await?;
        }
        tx.commit().await?;
        conn.keep();
        let Some(head) = head else { return Ok(results) };
        let before = head - u64::try_from(batch.rows.entries.len()).unwrap_or_default();
        self.known_site = (before == as_of).then_some((batch.world.site, head));
        let first = before + 1;
        let told = batch.rows.entries.into_iter().zip(first..);
        let told = told.map(|(row, seq)| LogEntry::new(&slug, seq, row).map(Arc::new));
        self.tail.push(told.collect::<Result<_, _>>()?);
        Ok(results)
    }
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

/// What became of one job in memory: the answer and how many entries there were after it.
type Verdict = Result<(Answer, Option<usize>), Refusal>;

struct Batch<'a> {
    world: World,
    rows: Rows,
    at: Timestamp,
    ids: &'a Ids,
    known: Vec<Decided>,
    /// For each job its verdict; none for a command that was decided before.
    verdicts: Vec<Option<Verdict>>,
}

impl<'a> Batch<'a> {
    fn new(world: World, at: Timestamp, ids: &'a Ids) -> Self {
        Self { world, rows: Rows::at(at), at, ids, known: Vec::new(), verdicts: Vec::new() }
    }

    /// Looks the commands up, and loads what the others want to see.
    async fn look(&mut self, conn: &mut PgConnection, jobs: &[Job], presence: &Presence) -> Result<(), DbError> {
        let keys: Vec<_> = jobs.iter().filter_map(|job| job.key.as_ref()).map(|key| key.id.0).collect();
        if !keys.is_empty() {
            self.known = db::commands::find(conn, self.world.site.id, &keys).await?;
        }
        let mut wants = Wants::default();
        for job in jobs {
            job.action.wants(&mut wants);
            if let Some(person) = job.actor.person() {
                wants.people.insert(person.id.0);
                job.action.wants_of_actor(person.id, &mut wants);
            }
        }
        self.world.reachable = wants.reachable.iter().copied().filter(|person| presence.is_online(*person)).collect();
        let at = jobs.iter().map(|job| job.at.unwrap_or(self.at)).min().unwrap_or(self.at);
        store::load(conn, &mut self.world, &wants, at).await?;
        let holders = self.world.requests.iter().filter_map(|request| request.holder()).map(|holder| holder.id);
        let there: Vec<_> = holders.filter(|person| presence.is_online(*person)).collect();
        self.world.reachable.extend(there);
        Ok(())
    }

    fn decide(&mut self, jobs: &[Job]) -> Result<(), DbError> {
        for (place, job) in jobs.iter().enumerate() {
            let earlier = |key: &Key| jobs[..place].iter().any(|job| job.key.as_ref().is_some_and(|k| k.id == key.id));
            let again = job
                .key
                .as_ref()
                .is_some_and(|key| earlier(key) || self.known.iter().any(|decided| decided.outcome.id == key.id));
            let verdict = if again { None } else { Some(self.decide_one(job)?) };
            self.verdicts.push(verdict);
        }
        Ok(())
    }

    fn decide_one(&mut self, job: &Job) -> Result<Verdict, DbError> {
        let actor = match &job.actor {
            Actor::Person(person) => match self.world.people.get(person.id.0) {
                Some(person) => Actor::Person(person.clone()),
                None => return Ok(Err(Refusal::not_found("person"))),
            },
            Actor::Button { name } => Actor::Button { name: self.world.called(name).to_owned() },
            Actor::System => Actor::System,
        };
        let moment = Moment { at: job.at.unwrap_or(self.at), actor: &actor, ids: self.ids };
        match job.action.decide(&self.world, &moment) {
            Err(refusal) => Ok(Err(refusal)),
            Ok(steps) => {
                let before = self.rows.entries.len();
                let command_id = job.key.as_ref().map(|key| key.id);
                let signature = Signature { moment, source: job.source, command_id };
                store::apply(&mut self.world, &mut self.rows, steps.steps, &signature)?;
                let after = self.rows.entries.len();
                Ok(Ok((steps.answer, (after > before).then_some(after))))
            }
        }
    }

    /// The answers, now that the number of the last entry is known, and the commands to be remembered.
    fn outcomes(&mut self, jobs: &[Job], head: u64) -> (Vec<Result<Done, NotDone>>, Vec<Decided>) {
        let total = self.rows.entries.len();
        let mut results = Vec::with_capacity(jobs.len());
        let mut decided = Vec::new();
        for (job, verdict) in jobs.iter().zip(self.verdicts.drain(..)) {
            let result = match (verdict, &job.key) {
                (Some(verdict), key) => {
                    let seq = |entries: usize| head - u64::try_from(total - entries).unwrap_or_default();
                    let result = verdict.map(|(answer, entries)| Done { seq: entries.map(seq), answer });
                    if let Some(key) = key {
                        decided.push(remembered(key, &job.actor, &result));
                    }
                    result.map_err(NotDone::Refused)
                }
                (None, Some(key)) => {
                    let before = self.known.iter().chain(&decided).find(|decided| decided.outcome.id == key.id);
                    before.map_or(Err(NotDone::Internal), |before| repeated(before, key, &job.actor))
                }
                (None, None) => Err(NotDone::Internal),
            };
            results.push(result);
        }
        (results, decided)
    }
}

fn remembered(key: &Key, actor: &Actor, result: &Result<Done, Refusal>) -> Decided {
    Decided {
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

/// The same outcome for a command that comes again; a refusal for another command, or another's, under its id.
fn repeated(before: &Decided, key: &Key, actor: &Actor) -> Result<Done, NotDone> {
    if before.digest != key.digest || before.person != actor.person().map(|person| person.id.0) {
        let message = "This id was used for another command.";
        return Err(Refusal::new(Code::KeyReused, message).with("verb", &before.verb).into());
    }
    match &before.outcome.refusal {
        Some(refusal) => Err(refusal.clone().into()),
        None => Ok(Done { seq: before.outcome.seq, answer: Answer::Done }),
    }
}
