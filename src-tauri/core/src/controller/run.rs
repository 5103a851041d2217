//! The loop.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::{CommandId, EndpointId};
use futures_util::FutureExt;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::disk::{Disk, Written};
use super::keys::Keys;
use super::sign_in::SigningIn;
use super::{Clock, Parts};
use crate::engine::{Engine, Input};
use crate::net::{AudioLine, Http, Socket, VoiceCache};
use crate::screen::{Ask, AskError, Notice, Told};
use crate::shell::{Handset, Shell};
use crate::store::{Store, StoreError, Unreadable};

/// Posts that are worked off before the screens are told: a burst of frames is one message to a window.
const BURST: usize = 32;

/// How long the controller rests after an input that it panicked over, so that one that comes again and again doesn't
/// eat the battery.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Where the answer to an ask goes.
pub(super) type Answer = oneshot::Sender<Result<Box<RawValue>, AskError>>;

/// What is posted to the controller.
#[derive(Debug)]
pub(super) enum Post {
    /// What came of something that was asked of a server for a sign-in; of no interest once that has ended.
    Net { sign_in: u64, input: Input },
    /// A face asks.
    Ask(Box<Ask>, Answer),
    /// The server let somebody in.
    SignedIn(Box<SigningIn>),
    /// Enough.
    Stop(oneshot::Sender<()>),
}

/// The controller of one device.
pub(super) struct Controller<S> {
    pub engine: Engine,
    pub disk: Disk<S>,
    pub shell: Arc<dyn Shell>,
    pub handset: Arc<dyn Handset>,
    pub keys: Keys,
    pub clock: Clock,
    pub http: Http,
    pub voice: VoiceCache,
    pub posts: mpsc::WeakSender<Post>,
    pub socket: Option<Socket>,
    /// Counts how often the device left the network that its connections went over: who waits for an answer then has none.
    pub moves: watch::Sender<u64>,
    /// The way of a call's voice over that socket.
    pub audio: AudioLine,
    /// This run of the app, as calls name it.
    pub endpoint: EndpointId,
    /// The address of the server of the person who is signed in, also while they are signed out.
    pub server: String,
    /// Counts the sign-ins, so that what was asked for one isn't taken as the answer for another.
    pub sign_in: u64,
    pub device: Device,
    told: Vec<Told>,
    /// How often a window looked.
    pub looks: u64,
    wake_at: Instant,
    rebuilt: Option<u32>,
    /// What was done here and can't be read, for the file that a person takes to somebody else.
    pub unreadable: Vec<Unreadable>,
}

/// What is to be known of the device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub data: std::path::PathBuf,
    pub name: String,
    pub version: String,
}

impl<S: Store + 'static> Controller<S> {
    pub async fn new(parts: Parts<S>, http: Http, posts: mpsc::WeakSender<Post>) -> Result<Self, StoreError> {
        let Parts { store, rebuilt, unreadable, shell, handset, vault, clock, data, device_name, version } = parts;
        let mut disk = Disk::new(store);
        let endpoint = clock.id();
        let engine = Engine::new(disk.load().await?).with_endpoint(endpoint);
        let server = engine.image().session.as_ref().map(|session| session.server.clone()).unwrap_or_default();
        Ok(Self {
            engine,
            disk,
            shell,
            handset,
            keys: Keys::new(vault),
            voice: VoiceCache::new(data.join("voice")),
            wake_at: clock.instant(0),
            clock,
            http,
            posts,
            socket: None,
            moves: watch::Sender::default(),
            audio: AudioLine::default(),
            endpoint,
            server,
            sign_in: 0,
            device: Device { data, name: device_name, version },
            told: Vec::new(),
            looks: 0,
            rebuilt,
            unreadable,
        })
    }

    /// Runs until it is stopped; then says whom to tell.
    pub async fn run(
        mut self,
        mut posts: mpsc::Receiver<Post>,
        mut reports: mpsc::UnboundedReceiver<Input>,
    ) -> Option<oneshot::Sender<()>> {
        self.set_all();
        self.guarded(Work::Input(Input::Start)).await;
        if let Some(saved) = self.rebuilt.take() {
            self.guarded(Work::Input(Input::Notice(Notice::Rebuilt { saved }))).await;
        }
        let count = u32::try_from(self.unreadable.len()).unwrap_or(u32::MAX);
        self.guarded(Work::Input(Input::Unreadable { count })).await;
        self.flush();
        loop {
            let retry_at = self.disk.retry_at();
            let mut work = tokio::select! {
                post = posts.recv() => match post {
                    Some(Post::Stop(stopped)) => return Some(stopped),
                    Some(post) => Work::Post(post),
                    None => return None,
                },
                Some(input) = reports.recv() => Work::Input(input),
                () = sleep_until(self.wake_at) => Work::Input(Input::Tick),
                () = sleep_until(retry_at.unwrap_or(self.wake_at)), if retry_at.is_some() => Work::Retry,
            };
            for _ in 0..BURST {
                self.guarded(work).await;
                work = match posts.try_recv() {
                    Ok(Post::Stop(stopped)) => {
                        self.flush();
                        return Some(stopped);
                    }
                    Ok(post) => Work::Post(post),
                    Err(_) => match reports.try_recv() {
                        Ok(input) => Work::Input(input),
                        Err(_) => break,
                    },
                };
            }
            self.flush();
        }
    }

    /// Tells the device its settings as they were left, before anything can ring: it begins with none.
    fn set_all(&self) {
        for (name, value) in &self.engine.image().settings {
            let setting = AssertUnwindSafe(|| self.shell.setting(name, Some(value)));
            if std::panic::catch_unwind(setting).is_err() {
                tracing::error!(name, "The shell panicked over a setting.");
            }
        }
    }

    /// Works on one thing; a panic costs that one.
    async fn guarded(&mut self, work: Work) {
        if AssertUnwindSafe(self.work(work)).catch_unwind().await.is_err() {
            tracing::error!("The controller panicked over an input, and begins again from what is stored.");
            self.begin_again().await;
        }
    }

    async fn work(&mut self, work: Work) {
        match work {
            Work::Post(Post::Net { sign_in, input }) if sign_in == self.sign_in => {
                // Its answer is for nobody.
                let _ = self.step(input).await;
            }
            Work::Post(Post::Net { .. } | Post::Stop(_)) => {}
            Work::Post(Post::Ask(ask, answer)) => self.answer(*ask, answer).await,
            Work::Post(Post::SignedIn(signing_in)) => self.signed_in(*signing_in).await,
            Work::Input(input) => {
                let _ = self.step(input).await;
            }
            Work::Retry => {
                if let Some(state) = self.disk.retry().await {
                    let _ = self.step(Input::Storage(state)).await;
                }
            }
        }
    }

    /// One input: decide, write, commit, perform. The id of the command that was kept, if one was.
    pub async fn step(&mut self, input: Input) -> Result<Option<CommandId>, AskError> {
        let now = self.clock.now();
        let step = self.engine.decide(input, now);
        let (written, news) = self.disk.write(&step, self.engine.image()).await;
        let answer = match written {
            Written::Commit => {
                let answer = step.answer.clone();
                let outputs = self.engine.commit(step, now);
                self.perform(outputs).await;
                answer
            }
            Written::Drop(error) => Err(error),
        };
        if let Some(state) = news {
            let now = self.clock.now();
            // It writes nothing, so there is nothing that could fail again.
            let step = self.engine.decide(Input::Storage(state), now);
            let outputs = self.engine.commit(step, now);
            self.perform(outputs).await;
        }
        answer
    }

    /// Tells the screens what gathered.
    pub fn flush(&mut self) {
        if !self.told.is_empty() {
            let told = std::mem::take(&mut self.told);
            let telling = AssertUnwindSafe(|| self.shell.tell(&told));
            if std::panic::catch_unwind(telling).is_err() {
                tracing::error!("The shell panicked while the screens were told.");
            }
        }
    }

    pub fn tell(&mut self, told: Told) {
        self.told.push(told);
    }

    pub fn wake_at(&mut self, tick: u64) {
        self.wake_at = self.clock.instant(tick);
    }

    /// After a panic: nothing in memory is trusted.
    async fn begin_again(&mut self) {
        self.socket = None;
        self.sign_in += 1;
        match self.disk.load().await {
            Ok(image) => self.engine = Engine::new(image).with_endpoint(self.endpoint),
            Err(error) => {
                tracing::error!(%error, "What is stored can't be read; going on with what is in memory.");
                self.engine = Engine::new(self.engine.image().clone()).with_endpoint(self.endpoint);
            }
        }
        self.told.clear();
        self.tell(Told::Reload);
        tokio::time::sleep(AFTER_PANIC).await;
        let start = AssertUnwindSafe(self.step(Input::Start)).catch_unwind().await;
        if start.is_err() {
            tracing::error!("The controller panicked while it began again.");
        }
        self.flush();
    }
}

/// What the loop works on.
enum Work {
    Post(Post),
    Input(Input),
    Retry,
}
