//! The session token in the shell's vault, and the tokens that are still to be revoked. A keyring may take seconds or
//! prompt the user, so a separate task accesses it, one job at a time, and the loop never waits for it. A locked
//! keyring prompts the user at every access, so access backs off, from one to 30 minutes, and is retried at once when a
//! person wants to connect. Changes in between are applied as soon as the vault can be read.
//!
//! A token is stored with its owner, and returned for that person alone: a device that is killed during a sign-in may
//! have one person's session in its store and another's token in the vault.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::{InstanceId, PersonId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::shell::{TokenPlace, Vault, VaultError};

/// Initial back-off after a failure of the vault; doubled each time.
const LEFT_ALONE: Duration = Duration::from_mins(1);

/// Maximum back-off.
const LEFT_ALONE_AT_MOST: Duration = Duration::from_mins(30);

/// Maximum number of tokens to revoke; the oldest are dropped first.
const MOST_TO_REVOKE: usize = 8;

/// Prefix of a vault line with a token to revoke.
const REVOKE: &str = "revoke ";

/// Prefix of the vault line with the token and its owner. A line without it has an unknown owner.
const OF: &str = "of ";

type Token = Result<Option<Arc<str>>, VaultError>;

/// A server's address and installation id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    /// The server's address.
    pub base: String,
    /// The installation id; none until the server has sent it.
    pub instance: Option<InstanceId>,
}

/// A token of a session that ended on this device, and not yet at the server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ToRevoke {
    pub server: Server,
    pub token: Arc<str>,
}

impl std::fmt::Debug for ToRevoke {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToRevoke").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A token's owner, and the server that issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whose {
    pub person_id: PersonId,
    pub server: Server,
}

/// The current session token.
#[derive(Clone, PartialEq, Eq)]
struct Own {
    token: Arc<str>,
    whose: Option<Whose>,
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Own").field("whose", &self.whose).finish_non_exhaustive()
    }
}

/// The content of the vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    own: Option<Own>,
    to_revoke: Vec<ToRevoke>,
}

impl ToRevoke {
    fn write(&self) -> String {
        let Self { server: Server { base, instance }, token } = self;
        let instance = instance.map_or_else(|| "-".to_owned(), |id| id.to_string());
        format!("{base} {instance} {token}")
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let (base, instance, token) = (parts.next()?, parts.next()?, parts.next()?);
        let server = Server { base: base.to_owned(), instance: instance.parse().ok() };
        Some(Self { server, token: token.into() })
    }
}

impl Own {
    fn write(&self) -> String {
        let Self { token, whose } = self;
        let Some(Whose { person_id, server }) = whose else { return token.to_string() };
        let there = ToRevoke { server: server.clone(), token: Arc::clone(token) };
        format!("{OF}{person_id} {}", there.write())
    }

    fn read(line: &str) -> Self {
        let read = || {
            let (person_id, rest) = line.strip_prefix(OF)?.split_once(' ')?;
            let ToRevoke { server, token } = ToRevoke::read(rest)?;
            Some(Self { token, whose: Some(Whose { person_id: person_id.parse().ok()?, server }) })
        };
        read().unwrap_or_else(|| Self { token: line.into(), whose: None })
    }

    fn is_of(&self, person_id: PersonId) -> bool {
        self.whose.as_ref().is_none_or(|whose| whose.person_id == person_id)
    }
}

impl Kept {
    /// Serialises the token as a line, followed by one line for each token to revoke.
    fn write(&self) -> String {
        let old = self.to_revoke.iter().map(|old| format!("{REVOKE}{}", old.write()));
        self.own.iter().map(Own::write).chain(old).collect::<Vec<_>>().join("\n")
    }

    fn read(text: &str) -> Self {
        let mut kept = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_prefix(REVOKE) {
                None => kept.own = Some(Own::read(line)),
                Some(old) => kept.to_revoke.extend(ToRevoke::read(old)),
            }
        }
        kept
    }

    /// Moves the token to those to be revoked, at the server stored with it, or else at the given one. Without a known
    /// server it can't be revoked.
    fn retire(&mut self, server: Server) {
        let Some(Own { token, whose }) = self.own.take() else { return };
        let server = whose.map_or(server, |whose| whose.server);
        if !server.base.is_empty() {
            self.to_revoke.push(ToRevoke { server, token });
            let surplus = self.to_revoke.len().saturating_sub(MOST_TO_REVOKE);
            self.to_revoke.drain(..surplus);
        }
    }

    fn is_empty(&self) -> bool {
        self.own.is_none() && self.to_revoke.is_empty()
    }
}

enum Job {
    Token(Option<PersonId>, oneshot::Sender<Token>),
    Whose(oneshot::Sender<Result<Option<PersonId>, VaultError>>),
    Replace { token: String, whose: Whose, before: Server, answer: oneshot::Sender<Result<TokenPlace, VaultError>> },
    TakeBack(Server),
    Retire(Server),
    Forget,
    ToRevoke(oneshot::Sender<Result<Vec<ToRevoke>, VaultError>>),
    Revoked(Arc<str>),
    Hurry,
}

/// A handle to the vault's task; cheap to clone.
#[derive(Clone)]
pub(super) struct Keys {
    jobs: mpsc::UnboundedSender<Job>,
}

impl Keys {
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        let (jobs, mut waiting) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut keeper =
                KeyTask { vault, known: None, before: None, failed: None, failures: 0, waiting: Vec::new() };
            while let Some(job) = waiting.recv().await {
                keeper.work(job).await;
            }
        });
        Self { jobs }
    }

    /// Returns a person's token after all earlier jobs, even if the future is awaited later. None if the token belongs
    /// to another person.
    pub fn token(&self, of: Option<PersonId>) -> impl Future<Output = Token> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Token(of, answer));
        async move { answered.await.unwrap_or_else(|_| Err(gone())) }
    }

    /// Returns the owner of the stored token, if it is stored with one.
    pub async fn whose(&self) -> Result<Option<PersonId>, VaultError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Whose(answer));
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Stores a new token; the previous one is to be revoked at the server `before`.
    pub async fn replace(&self, token: String, whose: Whose, before: Server) -> Result<TokenPlace, VaultError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Replace { token, whose, before, answer });
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Undoes [`replace`](Self::replace): restores the previous token, and the new one is to be revoked at this server.
    pub fn take_back(&self, server: Server) {
        let _ = self.jobs.send(Job::TakeBack(server));
    }

    /// Handles a sign-out: the token is to be revoked at this server.
    pub fn retire(&self, server: Server) {
        let _ = self.jobs.send(Job::Retire(server));
    }

    /// Deletes an invalid token.
    pub fn forget(&self) {
        let _ = self.jobs.send(Job::Forget);
    }

    /// Returns the tokens to revoke.
    pub async fn to_revoke(&self) -> Result<Vec<ToRevoke>, VaultError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::ToRevoke(answer));
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Deletes a token that has been revoked.
    pub fn revoked(&self, token: Arc<str>) {
        let _ = self.jobs.send(Job::Revoked(token));
    }

    /// Ends the back-off, because a person wants to connect.
    pub fn retry_now(&self) {
        let _ = self.jobs.send(Job::Hurry);
    }
}

/// The task's state, with exclusive access to the vault.
struct KeyTask {
    vault: Arc<dyn Vault>,
    /// The vault's content, read once and then kept up to date.
    known: Option<Kept>,
    /// The content before the last replacement.
    before: Option<Kept>,
    /// The last failure, and the end of its back-off.
    failed: Option<(VaultError, Instant)>,
    failures: u32,
    /// Changes to apply as soon as the vault can be read.
    waiting: Vec<Change>,
}

/// A change of the vault's content.
#[derive(Clone, Debug)]
enum Change {
    Retire(Server),
    Forget,
    Revoked(Arc<str>),
}

impl Kept {
    fn change(&mut self, change: Change) {
        match change {
            Change::Retire(server) => self.retire(server),
            Change::Forget => self.own = None,
            Change::Revoked(token) => self.to_revoke.retain(|old| old.token != token),
        }
    }
}

impl KeyTask {
    async fn work(&mut self, job: Job) {
        match job {
            Job::Token(of, answer) => {
                let theirs = |own: &&Own| of.is_some_and(|of| own.is_of(of));
                let token = |kept: &Kept| kept.own.as_ref().filter(theirs).map(|own| Arc::clone(&own.token));
                drop(answer.send(self.kept(Instant::now()).await.map(token)));
            }
            Job::Whose(answer) => {
                let whose = |kept: &Kept| kept.own.as_ref()?.whose.as_ref().map(|whose| whose.person_id);
                drop(answer.send(self.kept(Instant::now()).await.map(whose)));
            }
            Job::ToRevoke(answer) => {
                drop(answer.send(self.kept(Instant::now()).await.map(|kept| kept.to_revoke.clone())));
            }
            Job::Replace { token, whose, before, answer } => {
                let mut kept = self.kept(Instant::now()).await.cloned().unwrap_or_default();
                // They concern earlier tokens, which can't be read.
                self.waiting.clear();
                self.before = Some(kept.clone());
                kept.retire(before);
                kept.own = Some(Own { token: token.into(), whose: Some(whose) });
                drop(answer.send(self.keep(kept).await));
            }
            Job::TakeBack(server) => {
                let mut kept = self.kept(Instant::now()).await.cloned().unwrap_or_default();
                kept.retire(server);
                let new = kept.to_revoke.pop();
                kept = self.before.take().unwrap_or_default();
                kept.to_revoke.extend(new);
                self.put(kept).await;
            }
            Job::Retire(server) => self.change(Change::Retire(server)).await,
            Job::Forget => self.change(Change::Forget).await,
            Job::Revoked(token) => self.change(Change::Revoked(token)).await,
            Job::Hurry => self.failed = None,
        }
    }

    async fn kept(&mut self, now: Instant) -> Result<&Kept, VaultError> {
        if let Some((error, _)) = self.failed.as_ref().filter(|(_, until)| now < *until) {
            return Err(error.clone());
        }
        if self.known.is_none() {
            let vault = Arc::clone(&self.vault);
            match blocking(move || vault.token()).await {
                // The token may be in a keyring that is currently missing, so this doesn't sign the person out.
                Ok(None) => return Ok(const { &Kept { own: None, to_revoke: Vec::new() } }),
                Ok(Some(text)) => {
                    let mut kept = Kept::read(&text);
                    self.failures = 0;
                    if self.waiting.is_empty() {
                        self.known = Some(kept);
                    } else {
                        for change in std::mem::take(&mut self.waiting) {
                            kept.change(change);
                        }
                        self.put(kept).await;
                    }
                }
                Err(error) => {
                    let wait = LEFT_ALONE.saturating_mul(1 << self.failures.min(10)).min(LEFT_ALONE_AT_MOST);
                    self.failures = self.failures.saturating_add(1);
                    self.failed = Some((error.clone(), now + wait));
                    return Err(error);
                }
            }
        }
        self.known.as_ref().ok_or_else(gone)
    }

    async fn keep(&mut self, kept: Kept) -> Result<TokenPlace, VaultError> {
        let (vault, text) = (Arc::clone(&self.vault), kept.write());
        let done = blocking(move || vault.keep(&text)).await;
        self.known = done.is_ok().then_some(kept);
        if done.is_ok() {
            self.failed = None;
        }
        done
    }

    /// Applies a change, or postpones it until the vault can be read.
    async fn change(&mut self, change: Change) {
        match self.kept(Instant::now()).await.cloned() {
            Ok(mut kept) => {
                kept.change(change);
                self.put(kept).await;
            }
            Err(_) => self.waiting.push(change),
        }
    }

    /// Writes the content. If the vault doesn't take it, it is at least known in memory.
    async fn put(&mut self, kept: Kept) {
        let (vault, text, is_empty) = (Arc::clone(&self.vault), kept.write(), kept.is_empty());
        self.known = Some(kept);
        let done = blocking(move || if is_empty { vault.forget() } else { vault.keep(&text).map(drop) }).await;
        if let Err(error) = done {
            tracing::warn!(%error, "The vault didn't take a change.");
        }
    }
}

async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(what).await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> VaultError {
    VaultError("the vault doesn't answer".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use crewbell_shared::testing::{sam, siri};

    use super::super::tests::Drawer;
    use super::*;

    fn of_sam(number: u128) -> Whose {
        Whose { person_id: sam().id, server: ship(number) }
    }

    fn ship(number: u128) -> Server {
        Server { base: "http://ship:8080".into(), instance: Some(InstanceId(uuid::Uuid::from_u128(number))) }
    }

    #[tokio::test]
    async fn a_locked_vault_is_left_alone_longer_and_longer_until_a_person_wants_to_connect() {
        let vault = Arc::new(Drawer::default());
        vault.locked.store(true, Ordering::SeqCst);
        let shared: Arc<dyn Vault> = Arc::<Drawer>::clone(&vault);
        let mut keeper =
            KeyTask { vault: shared, known: None, before: None, failed: None, failures: 0, waiting: Vec::new() };
        // The access pattern of a device that tries to connect every 15 s, for a day.
        let mut now = Instant::now();
        for _ in 0..4 * 60 * 24 {
            assert!(keeper.kept(now).await.is_err());
            now += Duration::from_secs(15);
        }
        let asked = vault.asked.load(Ordering::SeqCst);
        assert!((48..60).contains(&asked), "its owner was asked {asked} times");
        vault.locked.store(false, Ordering::SeqCst);
        vault.keep("token").unwrap();
        assert!(keeper.kept(now).await.is_err(), "it is left alone");
        keeper.work(Job::Hurry).await;
        assert_eq!(keeper.kept(now).await.unwrap().own.as_ref().unwrap().token.as_ref(), "token");
    }

    #[tokio::test]
    async fn a_token_that_is_over_is_kept_until_it_is_revoked_also_by_another_run_of_the_app() {
        let vault = Arc::new(Drawer::default());
        let keys = Keys::new(Arc::<Drawer>::clone(&vault));
        *vault.text.lock().unwrap() = Some("one".into());
        assert_eq!(keys.token(Some(siri().id)).await.unwrap().as_deref(), Some("one"), "one of which nothing is said");
        let server = Server { instance: None, ..ship(2) };
        keys.replace("two".into(), Whose { server, ..of_sam(2) }, ship(1)).await.unwrap();
        keys.retire(ship(3));
        assert_eq!(keys.token(Some(sam().id)).await, Ok(None));
        let again = Keys::new(Arc::<Drawer>::clone(&vault));
        let left: Vec<_> =
            again.to_revoke().await.unwrap().into_iter().map(|old| (old.server.instance, old.token)).collect();
        assert_eq!(left, [(ship(1).instance, "one".into()), (None, "two".into())]);
        for (_, token) in left {
            again.revoked(token);
        }
        assert_eq!(again.to_revoke().await, Ok(Vec::new()));
        assert_eq!(*vault.text.lock().unwrap(), None, "nothing is left of them");
    }

    #[tokio::test]
    async fn a_token_that_is_over_while_the_vault_is_locked_is_revoked_when_it_is_open() {
        let vault = Arc::new(Drawer::default());
        *vault.text.lock().unwrap() = Some("old".into());
        vault.locked.store(true, Ordering::SeqCst);
        let keys = Keys::new(Arc::<Drawer>::clone(&vault));
        keys.retire(ship(1));
        assert!(keys.to_revoke().await.is_err(), "nobody knows yet");
        assert_eq!(vault.text.lock().unwrap().as_deref(), Some("old"), "it isn't thrown away unread");
        vault.locked.store(false, Ordering::SeqCst);
        keys.retry_now();
        let left = keys.to_revoke().await.unwrap();
        assert_eq!((left[0].server.clone(), left[0].token.as_ref()), (ship(1), "old"));
        assert_eq!(keys.token(Some(sam().id)).await, Ok(None));
        assert!(vault.text.lock().unwrap().as_deref().unwrap().starts_with(REVOKE), "also for another run of the app");
    }

    #[tokio::test]
    async fn a_sign_in_that_came_to_nothing_gives_the_one_before_its_place_back() {
        let vault = Arc::new(Drawer::default());
        let keys = Keys::new(Arc::<Drawer>::clone(&vault));
        keys.replace("old".into(), of_sam(1), Server::default()).await.unwrap();
        keys.replace("new".into(), Whose { person_id: siri().id, ..of_sam(2) }, ship(1)).await.unwrap();
        keys.take_back(ship(2));
        assert_eq!(keys.token(Some(sam().id)).await.unwrap().as_deref(), Some("old"));
        assert_eq!(keys.to_revoke().await.unwrap()[0].token.as_ref(), "new");
    }

    #[tokio::test]
    async fn a_token_is_given_out_for_its_person_alone_also_by_another_run_of_the_app() {
        let vault = Arc::new(Drawer::default());
        let keys = Keys::new(Arc::<Drawer>::clone(&vault));
        keys.replace("sam's".into(), of_sam(1), Server::default()).await.unwrap();
        for keys in [keys, Keys::new(Arc::<Drawer>::clone(&vault))] {
            assert_eq!(keys.whose().await, Ok(Some(sam().id)));
            assert_eq!(keys.token(Some(sam().id)).await.unwrap().as_deref(), Some("sam's"));
            assert_eq!(keys.token(Some(siri().id)).await, Ok(None));
            assert_eq!(keys.token(None).await, Ok(None));
        }
    }

    #[test]
    fn tokens_that_wait_to_be_revoked_are_bounded() {
        let mut kept = Kept::default();
        for number in 0..20 {
            kept.own = Some(Own { token: number.to_string().into(), whose: None });
            kept.retire(ship(1));
        }
        kept.own = Some(Own { token: "new".into(), whose: Some(of_sam(2)) });
        assert_eq!((kept.to_revoke.len(), kept.to_revoke[0].token.as_ref()), (MOST_TO_REVOKE, "12"));
        assert_eq!(Kept::read(&kept.write()), kept);
    }
}
