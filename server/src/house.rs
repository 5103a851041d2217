//! The house: every site that this server serves, with its writer and its log.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, InstanceId, RequestId, SiteId};
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::protocol::live::Reach;
use crewbell_shared::protocol::{Command, Outcome, Source};
use crewbell_shared::site::Settings;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actions::{self, Action, Deps, Done, Health, Job, Key, NotDone, Prove, Refuse, Writer};
use crate::auth::Uses;
use crate::clock::{Clock, Ids};
use crate::db::sites::KnownSite;
use crate::db::{Db, DbError, LAST_DAY, sites};
use crate::jobs::ClockGuard;
use crate::limits::{Doors, raise_descriptors};
use crate::live::{Presence, Receipts, Switchboard};
use crate::log::{Reader, Tail, follow, follow_settings};

/// A site that is served.
#[derive(Debug)]
pub struct OpenSite {
    /// Which.
    pub id: SiteId,
    /// Its slug.
    pub slug: Arc<str>,
    /// The newest entries of its log.
    pub tail: Arc<Tail>,
    /// Who is there; live only.
    pub presence: Arc<Presence>,
    /// Where the ends of live calls are; live only.
    pub switchboard: Switchboard,
    /// Which devices sounded which alerts; live only.
    pub receipts: Receipts,
    /// Which sessions were used.
    pub uses: Uses,
    /// How it is run, as the log last told it; behind it by moments.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// The head of its log when it was opened: a reader that begins here misses nothing that this server does.
    pub opened_at: u64,
    writer: Writer,
    db: Db,
}

impl OpenSite {
    /// Does something.
    ///
    /// # Errors
    /// The rules' "no", or the server can't.
    pub async fn act(&self, action: Box<dyn Action>, actor: Actor, source: Source) -> Result<Done, NotDone> {
        self.writer.act(Job { action, actor, source, key: None, at: None }).await
    }

    /// Does something that happened at a time: history that is loaded.
    ///
    /// # Errors
    /// The rules' "no", or the server can't.
    pub async fn act_at(
        &self,
        action: Box<dyn Action>,
        actor: Actor,
        source: Source,
        at: Timestamp,
    ) -> Result<Done, NotDone> {
        self.writer.act(Job { action, actor, source, key: None, at: Some(at) }).await
    }

    /// Does what a person's command says, once, however often it comes.
    ///
    /// # Errors
    /// Only that the server can't; a refusal is an outcome.
    pub async fn command(&self, person: &Person, command: Command) -> Result<Outcome, NotDone> {
        let key = key_of(&command)?;
        if let Some(refusal) = impossible(command.made_at) {
            return self.keyed(person, key, Box::new(Refuse(refusal))).await;
        }
        self.keyed(person, key, actions::action(command.verb)).await
    }

    /// Refuses a person's command for a reason that is known already, and remembers that: what depends on it is
    /// refused too, whenever it comes.
    ///
    /// # Errors
    /// Only that the server can't.
    pub async fn refuse(&self, person: &Person, command: &Command, refusal: Refusal) -> Result<Outcome, NotDone> {
        self.keyed(person, key_of(command)?, Box::new(Refuse(refusal))).await
    }

    /// Refuses a person's command that this version can't read, and remembers that: the same again is refused the same.
    ///
    /// # Errors
    /// Only that the server can't.
    pub async fn refuse_unreadable(
        &self,
        person: &Person,
        id: CommandId,
        said: &serde_json::Value,
        refusal: Refusal,
    ) -> Result<Outcome, NotDone> {
        let digest = Sha256::digest(said.to_string()).to_vec();
        let key = Key { id, verb: "unreadable".to_owned(), digest, made_at: None };
        self.keyed(person, key, Box::new(Refuse(refusal))).await
    }

    async fn keyed(&self, person: &Person, key: Key, action: Box<dyn Action>) -> Result<Outcome, NotDone> {
        let id = key.id;
        let actor = Actor::Person(person.clone());
        match self.writer.act(Job { action, actor, source: Source::App, key: Some(key), at: None }).await {
            Ok(done) => Ok(Outcome { id, seq: done.seq, refusal: None }),
            Err(NotDone::Refused(refusal)) => Ok(Outcome { id, seq: None, refusal: Some(refusal) }),
            Err(error) => Err(error),
        }
    }

    /// How its writer is. One that failed lately is asked to write something.
    pub async fn health(&self) -> Health {
        let health = self.writer.health();
        if health != Health::Failing {
            return health;
        }
        match self.act(Box::new(Prove), Actor::System, Source::Server).await {
            Ok(_) => Health::Writing,
            Err(_) => Health::Failing,
        }
    }

    /// How many devices a request's alert reached; none when it is closed, or was asked for an hour ago.
    pub fn reach(&self, request: RequestId, now: Timestamp) -> Option<Reach> {
        self.receipts.of(request, &self.presence.sessions(), now)
    }

    /// Reads the log after an entry.
    pub fn reader(&self, cursor: u64) -> Reader {
        Reader::new(self.id, Arc::clone(&self.slug), self.db.clone(), Arc::clone(&self.tail), cursor)
    }
}

/// Every site that this server serves.
#[derive(Clone, Debug)]
pub struct House {
    /// The database, for reading.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// New ids and secrets.
    pub ids: Ids,
    /// Whether the clock may be believed.
    pub clock_guard: Arc<ClockGuard>,
    /// Cancelled when the server goes down: no new work.
    pub stop: CancellationToken,
    /// How many may be connected, to either door.
    pub doors: Doors,
    /// The live sockets, which say goodbye.
    pub sockets: TaskTracker,
    /// The writers, which finish what they have.
    tasks: TaskTracker,
    /// Cancelled when nobody brings work any more: the writers finish what waits, and end.
    closing: CancellationToken,
    open: Arc<RwLock<HashMap<SiteId, Arc<OpenSite>>>>,
    instance: Arc<OnceCell<InstanceId>>,
    /// How many were opened, for those who do something for each.
    opened: Arc<watch::Sender<usize>>,
}

impl House {
    /// A house with no site open yet.
    pub fn new(db: Db, clock: Clock, ids: Ids, stop: CancellationToken) -> Self {
        let (sockets, tasks) = (TaskTracker::new(), TaskTracker::new());
        let closing = CancellationToken::new();
        let clock_guard = Arc::new(ClockGuard::new(clock.clone()));
        Self {
            db,
            clock,
            ids,
            clock_guard,
            stop,
            doors: Doors::new(raise_descriptors()),
            sockets,
            tasks,
            closing,
            open: Arc::default(),
            instance: Arc::default(),
            opened: Arc::default(),
        }
    }

    /// Which installation this is.
    ///
    /// # Errors
    /// The database is away, and wasn't asked before.
    pub async fn instance(&self) -> Result<InstanceId, DbError> {
        let ask = async || crate::db::instance::id(&mut *self.db.read_sites().await?).await;
        self.instance.get_or_try_init(ask).await.copied()
    }

    /// The sites whose writers can't write at present, after so long at most.
    pub async fn silent(&self, within: std::time::Duration) -> Vec<Arc<OpenSite>> {
        let mut open: Vec<_> = self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        open.sort_by_key(|site| site.id);
        let asked = open.into_iter().map(|site| async move {
            let health = tokio::time::timeout(within, site.health()).await;
            (!matches!(health, Ok(Health::Writing))).then_some(site)
        });
        futures_util::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// Tells when a site is opened.
    pub fn opened(&self) -> watch::Receiver<usize> {
        self.opened.subscribe()
    }

    /// A site, opened when it is asked for first.
    ///
    /// # Errors
    /// The database is away. `Ok(None)`: there is no such site.
    pub async fn site(&self, id: SiteId) -> Result<Option<Arc<OpenSite>>, DbError> {
        if let Some(site) = self.open.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(Arc::clone(site)));
        }
        let mut tx = self.db.read_sites().await?;
        let known = sites::find(&mut tx, id).await?;
        Ok(known.map(|known| self.open(&known)))
    }

    /// A site by its slug; without one the only site there is.
    ///
    /// # Errors
    /// The database is away. `Ok(None)`: there is no such site, or several and none was named.
    pub async fn site_named(&self, slug: Option<&str>) -> Result<Option<(Arc<OpenSite>, KnownSite)>, DbError> {
        // No slug has such a character, and the database doesn't take a NUL.
        if slug.is_some_and(|slug| slug.chars().any(char::is_control)) {
            return Ok(None);
        }
        let mut tx = self.db.read_sites().await?;
        let known = if let Some(slug) = slug {
            sites::by_slug(&mut tx, slug).await?
        } else {
            let mut all = sites::all(&mut tx).await?;
            if all.len() == 1 { all.pop() } else { None }
        };
        Ok(known.map(|known| (self.open(&known), known)))
    }

    /// Opens all sites.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open_all(&self) -> Result<Vec<Arc<OpenSite>>, DbError> {
        let mut tx = self.db.read_sites().await?;
        let known = sites::all(&mut tx).await?;
        Ok(known.iter().map(|known| self.open(known)).collect())
    }

    fn open(&self, known: &KnownSite) -> Arc<OpenSite> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let site = open.entry(known.site.id).or_insert_with(|| {
            let id = known.site.id;
            let tail = Arc::new(Tail::new(known.head));
            let (db, clock, ids) = (self.db.clone(), self.clock.clone(), self.ids.clone());
            let presence = Arc::new(Presence::new(clock.clone()));
            let deps = Deps { db: db.clone(), clock, ids, tail: Arc::clone(&tail), presence: Arc::clone(&presence) };
            let writer = Writer::start(id, deps, self.closing.clone(), &self.tasks);
            tokio::spawn(follow(id, db.clone(), Arc::clone(&tail), self.stop.clone()));
            let slug = Arc::from(known.site.slug.as_str());
            self.opened.send_modify(|opened| *opened += 1);
            let (told, settings) = watch::channel(Arc::new(known.site.settings.clone()));
            let reader = Reader::new(id, Arc::clone(&slug), db.clone(), Arc::clone(&tail), known.head);
            tokio::spawn(follow_settings(reader, db.clone(), told, self.stop.clone()));
            let (receipts, switchboard, opened_at) = (Receipts::default(), Switchboard::default(), known.head);
            let uses = Uses::default();
            Arc::new(OpenSite {
                id,
                slug,
                tail,
                presence,
                switchboard,
                receipts,
                uses,
                settings,
                opened_at,
                writer,
                db,
            })
        });
        Arc::clone(site)
    }

    /// Lets the writers finish what they have, and closes.
    pub async fn close(&self) {
        self.stop.cancel();
        self.closing.cancel();
        self.open.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.tasks.close();
        let patience = std::time::Duration::from_secs(10);
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("A writer did not finish in time; what it had was not acknowledged.");
        }
        self.db.close().await;
    }
}

fn key_of(command: &Command) -> Result<Key, NotDone> {
    let (verb, digest) = actions::digest(&command.verb).map_err(|_| NotDone::Internal)?;
    // A time that can't be is no time; what is kept of the command must be storable.
    let made_at = command.made_at.filter(|made_at| impossible(Some(*made_at)).is_none());
    Ok(Key { id: command.id, verb, digest, made_at })
}

/// Refuses a time at which nobody can have done anything: before clocks of this sort began, or after all that are
/// written with four digits.
fn impossible(made_at: Option<Timestamp>) -> Option<Refusal> {
    let made_at = made_at.filter(|made_at| !(Timestamp::UNIX_EPOCH..=LAST_DAY).contains(made_at))?;
    let message = "A person acts between the years 1970 and 9999.";
    Some(Refusal::invalid("made_at", message).with("made_at", &made_at))
}

/// The refusal that stands for a failure of ours.
pub fn refusal_of(error: NotDone) -> Refusal {
    use crewbell_shared::Code;
    match error {
        NotDone::Refused(refusal) => refusal,
        NotDone::Unavailable => Refusal::new(Code::Unavailable, "The database is away. Trying again is right."),
        NotDone::Internal => Refusal::new(Code::Internal, "The server failed; it has been logged there."),
    }
}
