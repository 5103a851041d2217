//! The controller's event loop.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::{CommandId, EndpointId};
use futures_util::FutureExt;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::disk::{Disk, Written};
use super::keys::{Keys, Server};
use super::sign_in::SigningIn;
use super::{Clock, Deps};
use crate::engine::{Engine, Input};
use crate::net::{AudioLine, Http, Socket, VoiceCache};
use crate::screen::{Ask, AskError, CoreEvent, Notice, Task};
use crate::shell::{Handset, Shell};
use crate::store::{Image, Session, Store, StoreError, Unreadable};

/// Number of posts to handle before events are emitted, so that a burst of frames becomes one message to a window.
const BURST: usize = 32;

/// Pause after an input that caused a panic, so that a recurring one doesn't drain the battery.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// The channel for the answer to a request.
pub(super) type Answer = oneshot::Sender<Result<Box<RawValue>, AskError>>;

/// A message to the controller.
#[derive(Debug)]
pub(super) enum Post {
    /// An input from the network for a session; ignored once that session has ended.
    Net { sign_in: u64, input: Input },
    /// A request from the UI.
    Ask(Box<Ask>, Answer),
    /// All tokens of ended sessions are revoked.
    Revoked,
    /// The server accepted a sign-in.
    SignedIn(Box<SigningIn>),
    /// Stop the controller.
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
    /// Counter of the networks left. Pending requests over a left network are abandoned.
    pub moves: watch::Sender<u64>,
    /// The audio path over that socket.
    pub audio: AudioLine,
    /// This run of the app as a call endpoint.
    pub endpoint: EndpointId,
    /// The server of the current session, or of the last one.
    pub server: Server,
    /// The task that revokes tokens, and its wake-up signal.
    pub revoking: Option<JoinHandle<()>>,
    pub revoke_more: Arc<Notify>,
    /// The task that checks the owner of the stored token.
    pub looking: Option<JoinHandle<()>>,
    /// Counter of sign-ins, so that a response for one session isn't applied to another.
    pub sign_in: u64,
    pub device: Device,
    told: Vec<CoreEvent>,
    /// Inputs that follow from a step, to be handled after it.
    pub next: VecDeque<Input>,
    /// The time at which the complete state is emitted again after a failure of the shell.
    say_again_at: Option<Instant>,
    /// Whether a step was stored but its outputs failed. The engine then restarts, after the caller has received the
    /// answer.
    half_done: bool,
    /// Number of outputs that panic, to simulate a bug in tests.
    #[cfg(test)]
    pub trips: u32,
    /// Counter of the view states sent.
    pub looks: u64,
    wake_at: Instant,
    rebuilt: Option<u32>,
    /// The unreadable commands, for the exported outbox.
    pub unreadable: Vec<Unreadable>,
}

/// Description of the device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub data: std::path::PathBuf,
    pub name: String,
    pub version: String,
}

impl<S: Store + 'static> Controller<S> {
    pub async fn new(parts: Deps<S>, http: Http, posts: mpsc::WeakSender<Post>) -> Result<Self, StoreError> {
        let Deps { store, rebuilt, unreadable, shell, handset, vault, clock, data, device_name, version } = parts;
        let mut disk = Disk::new(store);
        let endpoint = clock.id();
        let engine = engine_of(disk.load().await?, endpoint);
        let server = engine.image().session.as_ref().map(server_of).unwrap_or_default();
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
            revoking: None,
            revoke_more: Arc::default(),
            looking: None,
            sign_in: 0,
            device: Device { data, name: device_name, version },
            told: Vec::new(),
            next: VecDeque::new(),
            say_again_at: None,
            half_done: false,
            #[cfg(test)]
            trips: 0,
            looks: 0,
            rebuilt,
            unreadable,
        })
    }

    /// Starts with the stored state.
    pub(super) async fn begin(&mut self) {
        self.set_all();
        if self.engine.image().session.is_none() {
            // The app may have been killed during a sign-out.
            self.voice.clear().await;
        }
        self.revoke_what_is_left();
        self.look_whose_token_it_is();
        self.guarded(Work::Input(Input::Start)).await;
        if let Some(saved) = self.rebuilt.take() {
            self.guarded(Work::Input(Input::Notice(Notice::Rebuilt { saved }))).await;
        }
        let count = u32::try_from(self.unreadable.len()).unwrap_or(u32::MAX);
        self.guarded(Work::Input(Input::Unreadable { count })).await;
        self.flush();
    }

    /// Runs until it is stopped; returns the sender to notify of the end.
    pub async fn run(
        mut self,
        mut posts: mpsc::Receiver<Post>,
        mut reports: mpsc::UnboundedReceiver<Input>,
    ) -> Option<oneshot::Sender<()>> {
        self.begin().await;
        loop {
            let retry_at = self.disk.retry_at();
            let again_at = self.say_again_at;
            let mut work = tokio::select! {
                post = posts.recv() => match post {
                    Some(Post::Stop(stopped)) => return Some(stopped),
                    Some(post) => Work::Post(post),
                    None => return None,
                },
                Some(input) = reports.recv() => Work::Input(input),
                () = sleep_until(self.wake_at) => Work::Input(Input::Tick),
                () = sleep_until(retry_at.unwrap_or(self.wake_at)), if retry_at.is_some() => Work::Retry,
                () = sleep_until(again_at.unwrap_or(self.wake_at)), if again_at.is_some() => {
                    self.say_again_at = None;
                    Work::Input(Input::SayAgain)
                }
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

    /// Passes all stored settings to the device, before anything can ring.
    fn set_all(&self) {
        for (name, value) in &self.engine.image().settings {
            let setting = AssertUnwindSafe(|| self.shell.setting(name, Some(value)));
            if std::panic::catch_unwind(setting).is_err() {
                tracing::error!(name, "The shell panicked over a setting.");
            }
        }
    }

    /// Handles one message. A panic loses that message alone or, if its step is stored, only its outputs.
    pub(super) async fn guarded(&mut self, work: Work) {
        let is_sign_in = matches!(work, Work::Post(Post::SignedIn(_)));
        let worked = AssertUnwindSafe(self.work(work)).catch_unwind().await;
        if worked.is_err() || self.half_done {
            tracing::error!("The controller panicked over an input, and begins again from what is stored.");
            self.recover().await;
            if is_sign_in {
                self.look_whose_token_it_is();
            }
            tokio::time::sleep(AFTER_PANIC).await;
        }
    }

    /// Calls the shell. If it panics, the other outputs are still performed, and the complete state is emitted again
    /// after a moment.
    pub fn shielded(&mut self, what: &'static str, does: impl FnOnce(&Self)) {
        if std::panic::catch_unwind(AssertUnwindSafe(|| does(self))).is_err() {
            tracing::error!(what, "The shell panicked; it is told everything again.");
            self.say_again_at = Some(Instant::now() + AFTER_PANIC);
        }
    }

    async fn work(&mut self, work: Work) {
        match work {
            Work::Post(Post::Net { sign_in, input }) if sign_in == self.sign_in => {
                // There is no caller to answer.
                let _ = self.step(input).await;
            }
            Work::Post(Post::Net { .. } | Post::Stop(_)) => {}
            Work::Post(Post::Revoked) => self.revoked_all().await,
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

    /// Handles one input and then the inputs that follow from it, in sequence and never nested, so that the order of
    /// outputs is right. Returns the id of the stored command, if there is one.
    pub async fn step(&mut self, input: Input) -> Result<Option<CommandId>, AskError> {
        let answer = self.one_step(input).await;
        while !self.half_done
            && let Some(input) = self.next.pop_front()
        {
            // There is no caller to answer; the results are emitted as events.
            let _ = self.one_step(input).await;
        }
        answer
    }

    /// Decides, writes, commits and performs one input.
    async fn one_step(&mut self, input: Input) -> Result<Option<CommandId>, AskError> {
        let now = self.clock.now();
        let step = self.engine.decide(input, now);
        let (written, news) = self.disk.write(&step, self.engine.image()).await;
        let answer = match written {
            Written::Commit => {
                let answer = step.answer.clone();
                // The step is stored: the caller receives a success, whatever fails afterwards.
                let follows = async {
                    let outputs = self.engine.commit(step, now);
                    self.follow_server();
                    self.perform(outputs).await;
                };
                if AssertUnwindSafe(follows).catch_unwind().await.is_err() {
                    self.half_done = true;
                    return answer;
                }
                answer
            }
            Written::Drop(error) => Err(error),
        };
        if let Some(state) = news {
            let now = self.clock.now();
            // This step has no writes, so the storage can't fail again.
            let step = self.engine.decide(Input::Storage(state), now);
            let outputs = self.engine.commit(step, now);
            self.perform(outputs).await;
        }
        answer
    }

    /// Follows the session's server address and installation id.
    fn follow_server(&mut self) {
        if let Some(session) = &self.engine.image().session
            && (self.server.base != session.server || self.server.instance != session.instance)
        {
            self.server = server_of(session);
        }
    }

    /// Emits the collected events to the windows. If the shell fails, the windows have to reload.
    pub fn flush(&mut self) {
        if !self.told.is_empty() {
            let told = std::mem::take(&mut self.told);
            let before = self.say_again_at.take();
            self.shielded("tell", |controller| controller.shell.tell(&told));
            if self.say_again_at.is_some() {
                self.told.push(CoreEvent::Reload);
            }
            self.say_again_at = self.say_again_at.or(before);
        }
    }

    pub fn emit(&mut self, told: CoreEvent) {
        self.told.push(told);
    }

    pub fn wake_at(&mut self, tick: u64) {
        self.wake_at = self.clock.instant(tick);
    }

    /// Recovers from a panic: discards the state in memory and emits the complete stored state, before anything else.
    /// Finished alerts stop, current ones continue. If recovery fails too, nothing rings for now, and only the data
    /// that can't be fetched again is used.
    pub(super) async fn recover(&mut self) {
        let mut whole = true;
        while AssertUnwindSafe(self.begin_again(whole)).catch_unwind().await.is_err() || self.half_done {
            tracing::error!("The controller panicked while it began again.");
            self.next.clear();
            self.shielded("ring", |controller| controller.shell.ring(&[], 0));
            self.shielded("phone", |controller| controller.handset.phone(Task::Idle, None, 0));
            whole = false;
            tokio::time::sleep(AFTER_PANIC).await;
        }
        self.flush();
    }

    async fn begin_again(&mut self, whole: bool) {
        self.half_done = false;
        self.socket = None;
        self.next.clear();
        self.sign_in += 1;
        let image = match self.disk.load().await {
            Ok(image) => image,
            Err(error) => {
                tracing::error!(%error, "What is stored can't be read; going on with what is in memory.");
                self.engine.image().clone()
            }
        };
        self.engine = Engine::new(if whole { image } else { image.without_cache() }).with_endpoint(self.endpoint);
        self.told.clear();
        self.emit(CoreEvent::Reload);
        // There is no caller to answer.
        let _ = self.step(Input::Recovered).await;
    }
}

/// Creates an engine from the stored image; without the cached part, if that makes it panic.
fn engine_of(image: Image, endpoint: EndpointId) -> Engine {
    let whole = std::panic::catch_unwind(AssertUnwindSafe(|| Engine::new(image.clone())));
    let engine = whole.unwrap_or_else(|_| {
        tracing::error!("The engine panicked over what is stored; it is fetched anew.");
        Engine::new(image.without_cache())
    });
    engine.with_endpoint(endpoint)
}

/// Returns the server of a session.
pub(super) fn server_of(session: &Session) -> Server {
    Server { base: session.server.clone(), instance: session.instance }
}

#[cfg(test)]
impl<S> Controller<S> {
    /// Panics if a test has asked for it.
    pub fn trip(&mut self) {
        if self.trips > 0 {
            self.trips -= 1;
            panic!("an output trips");
        }
    }
}

/// A unit of work for the loop.
pub(super) enum Work {
    Post(Post),
    Input(Input),
    Retry,
}
