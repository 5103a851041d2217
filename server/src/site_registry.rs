//! The site registry: every site that this server serves, with its writer and its log.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, InstanceId, RequestId, SiteId};
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::protocol::live::Reach;
use crewbell_shared::protocol::{Command, Outcome, Source};
use crewbell_shared::site::SiteSettings;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actions::{
    self, Action, ActionError, ActionOutcome, Deps, Health, IdempotencyKey, Job, Prove, Refuse, Writer,
};
use crate::auth::Uses;
use crate::clock::{Clock, Ids};
use crate::db::sites::KnownSite;
use crate::db::{Db, DbError, LAST_DAY, sites};
use crate::jobs::ClockGuard;
use crate::limits::{ConnectionTables, raise_descriptors};
use crate::live::{Presence, Receipts, Switchboard};
use crate::log::{Reader, RecentEntries, follow, follow_settings};

/// An open site.
#[derive(Debug)]
pub struct OpenSite {
    /// The site's id.
    pub id: SiteId,
    /// The site's slug.
    pub slug: Arc<str>,
    /// The most recent entries of the site's log.
    pub recent: Arc<RecentEntries>,
    /// Presence of the site's people; live only.
    pub presence: Arc<Presence>,
    /// Endpoints of the live calls; live only.
    pub switchboard: Switchboard,
    /// Receipts of the devices that sounded an alert; live only.
    pub receipts: Receipts,
    /// Sessions used since this was last written.
    pub uses: Uses,
    /// The site's settings, followed from the log with a delay of moments.
    pub settings: watch::Receiver<Arc<SiteSettings>>,
    /// Head of the log when the site was opened. A reader that starts here misses nothing that this server writes.
    pub opened_at: u64,
    writer: Writer,
    db: Db,
}

impl OpenSite {
    /// Executes an action.
    ///
    /// # Errors
    /// Returns an error if the rules refuse the action, or if the server can't execute it.
    pub async fn act(
        &self,
        action: Box<dyn Action>,
        actor: Actor,
        source: Source,
    ) -> Result<ActionOutcome, ActionError> {
        self.writer.act(Job { action, actor, source, key: None, at: None }).await
    }

    /// Executes an action as of a past time, to load history.
    ///
    /// # Errors
    /// Returns an error if the rules refuse the action, or if the server can't execute it.
    pub async fn act_at(
        &self,
        action: Box<dyn Action>,
        actor: Actor,
        source: Source,
        at: Timestamp,
    ) -> Result<ActionOutcome, ActionError> {
        self.writer.act(Job { action, actor, source, key: None, at: Some(at) }).await
    }

    /// Executes a person's command once, however often it is sent.
    ///
    /// # Errors
    /// Returns an error only if the server can't execute the command; a refusal is an outcome.
    pub async fn command(&self, person: &Person, command: Command) -> Result<Outcome, ActionError> {
        let key = key_of(&command)?;
        if let Some(refusal) = impossible(command.made_at) {
            return self.keyed(person, key, Box::new(Refuse(refusal))).await;
        }
        self.keyed(person, key, Box::new(actions::Execute(command.verb))).await
    }

    /// Refuses a person's command for a reason that is known already, and records the refusal. Commands that depend on
    /// it are refused too, whenever they arrive.
    ///
    /// # Errors
    /// Returns an error only if the server can't record the refusal.
    pub async fn refuse(&self, person: &Person, command: &Command, refusal: Refusal) -> Result<Outcome, ActionError> {
        self.keyed(person, key_of(command)?, Box::new(Refuse(refusal))).await
    }

    /// Refuses a person's command that this version can't parse, and records the refusal. The same command again gets
    /// the same refusal.
    ///
    /// # Errors
    /// Returns an error only if the server can't record the refusal.
    pub async fn refuse_unreadable(
        &self,
        person: &Person,
        id: CommandId,
        said: &serde_json::Value,
        refusal: Refusal,
    ) -> Result<Outcome, ActionError> {
        let digest = Sha256::digest(said.to_string()).to_vec();
        let key = IdempotencyKey { id, verb: "unreadable".to_owned(), digest, made_at: None };
        self.keyed(person, key, Box::new(Refuse(refusal))).await
    }

    async fn keyed(
        &self,
        person: &Person,
        key: IdempotencyKey,
        action: Box<dyn Action>,
    ) -> Result<Outcome, ActionError> {
        let id = key.id;
        let actor = Actor::Person(person.clone());
        match self.writer.act(Job { action, actor, source: Source::App, key: Some(key), at: None }).await {
            Ok(done) => Ok(Outcome { id, seq: done.seq, refusal: None }),
            Err(ActionError::Refused(refusal)) => Ok(Outcome { id, seq: None, refusal: Some(refusal) }),
            Err(error) => Err(error),
        }
    }

    /// Returns the health of the site's writer. A writer that failed last is probed with a write.
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

    /// Returns how many devices a request's alert reached; `None` if the request is closed, or was created or last
    /// pressed more than an hour ago.
    pub fn reach(&self, request: RequestId, now: Timestamp) -> Option<Reach> {
        self.receipts.of(request, &self.presence.sessions(), now)
    }

    /// Returns a reader of the log after `cursor`.
    pub fn reader(&self, cursor: u64) -> Reader {
        Reader::new(self.id, Arc::clone(&self.slug), self.db.clone(), Arc::clone(&self.recent), cursor)
    }
}

/// The registry of open sites, with what they share.
#[derive(Clone, Debug)]
pub struct SiteRegistry {
    /// The database, for reading.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Generator of ids and secrets.
    pub ids: Ids,
    /// Guard that decides whether the clock is plausible.
    pub clock_guard: Arc<ClockGuard>,
    /// Cancelled when the server shuts down: no new work is accepted.
    pub stop: CancellationToken,
    /// Connection limits of the MQTT and HTTP listeners.
    pub connections: ConnectionTables,
    /// Tasks of the live sockets, which send a close frame before they end.
    pub sockets: TaskTracker,
    /// Tasks of the writers, which finish their queued work.
    tasks: TaskTracker,
    /// Cancelled once no new work arrives: the writers finish their queues and end.
    closing: CancellationToken,
    open: Arc<RwLock<HashMap<SiteId, Arc<OpenSite>>>>,
    instance: Arc<OnceCell<InstanceId>>,
    /// Number of sites opened, to notify the tasks that run per site.
    opened: Arc<watch::Sender<usize>>,
}

impl SiteRegistry {
    /// Creates a registry with no open site.
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
            connections: ConnectionTables::new(raise_descriptors()),
            sockets,
            tasks,
            closing,
            open: Arc::default(),
            instance: Arc::default(),
            opened: Arc::default(),
        }
    }

    /// Returns the id of this installation, cached after the first query.
    ///
    /// # Errors
    /// Returns an error if the database is unavailable and the id isn't cached.
    pub async fn instance(&self) -> Result<InstanceId, DbError> {
        let ask = async || crate::db::instance::id(&mut *self.db.read_sites().await?).await;
        self.instance.get_or_try_init(ask).await.copied()
    }

    /// Returns the sites whose writers can't write. A writer that doesn't answer `within` that time counts as one.
    pub async fn silent(&self, within: std::time::Duration) -> Vec<Arc<OpenSite>> {
        let mut open: Vec<_> = self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        open.sort_by_key(|site| site.id);
        let asked = open.into_iter().map(|site| async move {
            let health = tokio::time::timeout(within, site.health()).await;
            (!matches!(health, Ok(Health::Writing))).then_some(site)
        });
        futures_util::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// Returns a watch channel that changes when a site is opened.
    pub fn opened(&self) -> watch::Receiver<usize> {
        self.opened.subscribe()
    }

    /// Returns a site by id, and opens it on first use.
    ///
    /// # Errors
    /// Returns an error if the database is unavailable. `Ok(None)`: there is no such site.
    pub async fn site(&self, id: SiteId) -> Result<Option<Arc<OpenSite>>, DbError> {
        if let Some(site) = self.open.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(Arc::clone(site)));
        }
        let mut tx = self.db.read_sites().await?;
        let known = sites::find(&mut tx, id).await?;
        Ok(known.map(|known| self.open(&known)))
    }

    /// Returns a site by its slug; without a slug, the only site that exists.
    ///
    /// # Errors
    /// Returns an error if the database is unavailable. `Ok(None)`: there is no such site, or several exist and no slug
    /// was given.
    pub async fn site_named(&self, slug: Option<&str>) -> Result<Option<(Arc<OpenSite>, KnownSite)>, DbError> {
        // No slug has a control character, and PostgreSQL rejects NUL.
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
    /// Returns an error if the database is unavailable.
    pub async fn open_all(&self) -> Result<Vec<Arc<OpenSite>>, DbError> {
        let mut tx = self.db.read_sites().await?;
        let known = sites::all(&mut tx).await?;
        Ok(known.iter().map(|known| self.open(known)).collect())
    }

    fn open(&self, known: &KnownSite) -> Arc<OpenSite> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let site = open.entry(known.site.id).or_insert_with(|| {
            let id = known.site.id;
            let recent = Arc::new(RecentEntries::new(known.head));
            let (db, clock, ids) = (self.db.clone(), self.clock.clone(), self.ids.clone());
            let presence = Arc::new(Presence::new(clock.clone()));
            let deps =
                Deps { db: db.clone(), clock, ids, recent: Arc::clone(&recent), presence: Arc::clone(&presence) };
            let writer = Writer::start(id, deps, self.closing.clone(), &self.tasks);
            tokio::spawn(follow(id, db.clone(), Arc::clone(&recent), self.stop.clone()));
            let slug = Arc::from(known.site.slug.as_str());
            self.opened.send_modify(|opened| *opened += 1);
            let (told, settings) = watch::channel(Arc::new(known.site.settings.clone()));
            let reader = Reader::new(id, Arc::clone(&slug), db.clone(), Arc::clone(&recent), known.head);
            tokio::spawn(follow_settings(reader, db.clone(), told, self.stop.clone()));
            let (receipts, switchboard, opened_at) = (Receipts::default(), Switchboard::default(), known.head);
            let uses = Uses::default();
            Arc::new(OpenSite {
                id,
                slug,
                recent,
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

    /// Lets the writers finish their queues, for at most 10 s, and closes the database.
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

fn key_of(command: &Command) -> Result<IdempotencyKey, ActionError> {
    let (verb, digest) = actions::digest(&command.verb).map_err(|_| ActionError::Internal)?;
    // An implausible time is dropped: what is stored of the command must be storable.
    let made_at = command.made_at.filter(|made_at| impossible(Some(*made_at)).is_none());
    Ok(IdempotencyKey { id: command.id, verb, digest, made_at })
}

/// Refuses an implausible command time: before 1970, or after the year 9999.
fn impossible(made_at: Option<Timestamp>) -> Option<Refusal> {
    let made_at = made_at.filter(|made_at| !(Timestamp::UNIX_EPOCH..=LAST_DAY).contains(made_at))?;
    let message = "A person acts between the years 1970 and 9999.";
    Some(Refusal::invalid("made_at", message).with("made_at", &made_at))
}

/// Converts an action's error into a refusal for the client.
pub fn refusal_from_action_error(error: ActionError) -> Refusal {
    use crewbell_shared::Code;
    match error {
        ActionError::Refused(refusal) => refusal,
        ActionError::Unavailable => Refusal::new(Code::Unavailable, "The database is away. Trying again is right."),
        ActionError::Internal => Refusal::new(Code::Internal, "The server failed; it has been logged there."),
    }
}
