//! The token, kept in the shell's vault, and those that are still to be revoked. A keyring may take seconds or ask its
//! owner, so it is spoken to by a task of its own, one thing after the other; nobody waits for it in the loop. One that is
//! locked asks its owner each time: it is left alone for longer and longer, from one to 30 minutes, and asked at once when a
//! person wants to connect. What is to be changed in it meanwhile is changed as soon as it can be read.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::InstanceId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::shell::{TokenPlace, Vault, VaultError};

/// How long a vault that failed is left alone at first; doubled each time.
const LEFT_ALONE: Duration = Duration::from_mins(1);

/// And how long at most.
const LEFT_ALONE_AT_MOST: Duration = Duration::from_mins(30);

/// Tokens that may wait to be revoked; the oldest go first.
const MOST_TO_REVOKE: usize = 8;

/// What a line of the vault begins with that is a token to revoke.
const REVOKE: &str = "revoke ";

type Token = Result<Option<Arc<str>>, VaultError>;

/// A server, and which installation it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    /// Its address.
    pub base: String,
    /// None before it has said so.
    pub instance: Option<InstanceId>,
}

/// A token of a sign-in that is over here, and that the server doesn't know of yet.
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

/// What is in the vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    token: Option<Arc<str>>,
    to_revoke: Vec<ToRevoke>,
}

impl Kept {
    /// The token in a line, and behind it one line for each that is to be revoked.
    fn write(&self) -> String {
        let old = self.to_revoke.iter().map(|ToRevoke { server: Server { base, instance }, token }| {
            let instance = instance.map_or_else(|| "-".to_owned(), |id| id.to_string());
            format!("{REVOKE}{base} {instance} {token}")
        });
        self.token.iter().map(ToString::to_string).chain(old).collect::<Vec<_>>().join("\n")
    }

    fn read(text: &str) -> Self {
        let mut kept = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_prefix(REVOKE) {
                None => kept.token = Some(line.into()),
                Some(old) => {
                    let mut parts = old.splitn(3, ' ');
                    if let (Some(base), Some(instance), Some(token)) = (parts.next(), parts.next(), parts.next()) {
                        let server = Server { base: base.to_owned(), instance: instance.parse().ok() };
                        kept.to_revoke.push(ToRevoke { server, token: token.into() });
                    }
                }
            }
        }
        kept
    }

    /// The token is over, and to be revoked there; one of nobody knows which server can't be.
    fn retire(&mut self, server: Server) {
        if let Some(token) = self.token.take().filter(|_| !server.base.is_empty()) {
            self.to_revoke.push(ToRevoke { server, token });
            let surplus = self.to_revoke.len().saturating_sub(MOST_TO_REVOKE);
            self.to_revoke.drain(..surplus);
        }
    }

    fn is_empty(&self) -> bool {
        self.token.is_none() && self.to_revoke.is_empty()
    }
}

enum Job {
    Token(oneshot::Sender<Token>),
    Replace { token: String, before: Server, answer: oneshot::Sender<Result<TokenPlace, VaultError>> },
    TakeBack(Server),
    Retire(Server),
    Forget,
    ToRevoke(oneshot::Sender<Result<Vec<ToRevoke>, VaultError>>),
    Revoked(Arc<str>),
    Hurry,
}

/// The way to the vault; cheap to clone.
#[derive(Clone)]
pub(super) struct Keys {
    jobs: mpsc::UnboundedSender<Job>,
}

impl Keys {
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        let (jobs, mut waiting) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut keeper =
                Keeper { vault, known: None, before: None, failed: None, failures: 0, waiting: Vec::new() };
            while let Some(job) = waiting.recv().await {
                keeper.work(job).await;
            }
        });
        Self { jobs }
    }

    /// The token as it is after all that was asked before, even if the answer is waited for later.
    pub fn token(&self) -> impl Future<Output = Token> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Token(answer));
        async move { answered.await.unwrap_or_else(|_| Err(gone())) }
    }

    /// Keeps a token in the place of the one before, which is to be revoked at that server.
    pub async fn replace(&self, token: String, before: Server) -> Result<TokenPlace, VaultError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Replace { token, before, answer });
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Undoes [`replace`](Self::replace): the one before is kept again, and the new one is to be revoked at this server.
    pub fn take_back(&self, server: Server) {
        let _ = self.jobs.send(Job::TakeBack(server));
    }

    /// The person signed out: the token is to be revoked at this server.
    pub fn retire(&self, server: Server) {
        let _ = self.jobs.send(Job::Retire(server));
    }

    /// Forgets the token, which is worth nothing.
    pub fn forget(&self) {
        let _ = self.jobs.send(Job::Forget);
    }

    /// The tokens that are to be revoked.
    pub async fn to_revoke(&self) -> Result<Vec<ToRevoke>, VaultError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::ToRevoke(answer));
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// A token is revoked: it is forgotten.
    pub fn revoked(&self, token: Arc<str>) {
        let _ = self.jobs.send(Job::Revoked(token));
    }

    /// A person wants to connect: a vault that failed is asked again.
    pub fn hurry(&self) {
        let _ = self.jobs.send(Job::Hurry);
    }
}

/// Who speaks to the vault.
struct Keeper {
    vault: Arc<dyn Vault>,
    /// Read once: what is kept and forgotten from here on is known.
    known: Option<Kept>,
    /// What it was before a token was replaced.
    before: Option<Kept>,
    /// It failed, and is left alone until then.
    failed: Option<(VaultError, Instant)>,
    failures: u32,
    /// What is to be changed as soon as it can be read.
    waiting: Vec<Change>,
}

/// A change of what is kept.
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
            Change::Forget => self.token = None,
            Change::Revoked(token) => self.to_revoke.retain(|old| old.token != token),
        }
    }
}

impl Keeper {
    async fn work(&mut self, job: Job) {
        match job {
            Job::Token(answer) => drop(answer.send(self.kept(Instant::now()).await.map(|kept| kept.token.clone()))),
            Job::ToRevoke(answer) => {
                drop(answer.send(self.kept(Instant::now()).await.map(|kept| kept.to_revoke.clone())));
            }
            Job::Replace { token, before, answer } => {
                let mut kept = self.kept(Instant::now()).await.cloned().unwrap_or_default();
                // They were of the tokens before this one, which can't be read.
                self.waiting.clear();
                self.before = Some(kept.clone());
                kept.retire(before);
                kept.token = Some(token.into());
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
                // It may be there with the keyring: nobody is signed out because it isn't now.
                Ok(None) => return Ok(const { &Kept { token: None, to_revoke: Vec::new() } }),
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

    /// Changes what is kept; where that can't be read now, as soon as it can.
    async fn change(&mut self, change: Change) {
        match self.kept(Instant::now()).await.cloned() {
            Ok(mut kept) => {
                kept.change(change);
                self.put(kept).await;
            }
            Err(_) => self.waiting.push(change),
        }
    }

    /// Keeps all of it. What the vault doesn't take is known here at least.
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
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Drawer {
        text: Mutex<Option<String>>,
        locked: std::sync::atomic::AtomicBool,
        asked: AtomicUsize,
    }

    impl Vault for Drawer {
        fn token(&self) -> Result<Option<String>, VaultError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.locked.load(Ordering::SeqCst) {
                return Err(VaultError("it is locked".into()));
            }
            Ok(self.text.lock().unwrap().clone())
        }

        fn keep(&self, token: &str) -> Result<TokenPlace, VaultError> {
            *self.text.lock().unwrap() = Some(token.to_owned());
            Ok(TokenPlace::Keyring)
        }

        fn forget(&self) -> Result<(), VaultError> {
            *self.text.lock().unwrap() = None;
            Ok(())
        }
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
            Keeper { vault: shared, known: None, before: None, failed: None, failures: 0, waiting: Vec::new() };
        // As a device does that tries to connect every 15 s, for a day.
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
        assert_eq!(keeper.kept(now).await.unwrap().token.as_deref(), Some("token"));
    }

    #[tokio::test]
    async fn a_token_that_is_over_is_kept_until_it_is_revoked_also_by_another_run_of_the_app() {
        let vault = Arc::new(Drawer::default());
        let keys = Keys::new(Arc::<Drawer>::clone(&vault));
        keys.replace("one".into(), Server::default()).await.unwrap();
        assert_eq!(vault.text.lock().unwrap().as_deref(), Some("one"), "a token alone stands as it is");
        keys.replace("two".into(), ship(1)).await.unwrap();
        keys.retire(Server { instance: None, ..ship(2) });
        assert_eq!(keys.token().await, Ok(None));
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
        keys.hurry();
        let left = keys.to_revoke().await.unwrap();
        assert_eq!((left[0].server.clone(), left[0].token.as_ref()), (ship(1), "old"));
        assert_eq!(keys.token().await, Ok(None));
        assert!(vault.text.lock().unwrap().as_deref().unwrap().starts_with(REVOKE), "also for another run of the app");
    }

    #[tokio::test]
    async fn a_sign_in_that_came_to_nothing_gives_the_one_before_its_place_back() {
        let vault = Arc::new(Drawer::default());
        let keys = Keys::new(Arc::<Drawer>::clone(&vault));
        keys.replace("old".into(), Server::default()).await.unwrap();
        keys.replace("new".into(), ship(1)).await.unwrap();
        keys.take_back(ship(2));
        assert_eq!(keys.token().await.unwrap().as_deref(), Some("old"));
        assert_eq!(keys.to_revoke().await.unwrap()[0].token.as_ref(), "new");
    }

    #[test]
    fn tokens_that_wait_to_be_revoked_are_bounded() {
        let mut kept = Kept::default();
        for number in 0..20 {
            kept.token = Some(number.to_string().into());
            kept.retire(ship(1));
        }
        assert_eq!((kept.to_revoke.len(), kept.to_revoke[0].token.as_ref()), (MOST_TO_REVOKE, "12"));
        assert_eq!(Kept::read(&kept.write()), kept);
    }
}
