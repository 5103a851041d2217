//! Performs the engine's outputs in order, without waiting for the network or the UI.

use crewbell_shared::call::CallVerb;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use crewbell_shared::call::Call;
use crewbell_shared::protocol::Verb;
use crewbell_shared::protocol::live::FromClient;
use futures_util::FutureExt;

use super::run::{Controller, Post};
use crate::engine::{Fault, Input, Output};
use crate::net::{ApiClient, Socket, is_let_through};
use crate::screen::{ConnectionError, Task};
use crate::shell::VaultError;
use crate::store::{Cursor, Store};

impl<S: Store + 'static> Controller<S> {
    pub(super) async fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            #[cfg(test)]
            self.trip();
            match output {
                Output::Connect { socket, cursor } => self.connect(socket, cursor),
                Output::Listen { socket, cursor } => self.listen(socket, cursor),
                Output::TrySocket => self.try_socket(),
                Output::AskToken => {
                    self.ask_server(self.api_client(true), |door| async move { door.me().await }, Input::Token);
                }
                Output::Disconnect => self.socket = None,
                Output::Moved => self.leave_network(),
                Output::Say(frame) => {
                    if self.socket.as_ref().is_some_and(|socket| !socket.say(frame)) {
                        // The engine receives nothing more from the socket, and takes it for dead.
                        self.socket = None;
                    }
                }
                Output::FetchSnapshot => {
                    self.ask_server(
                        self.api_client(true),
                        |door| async move { door.snapshot().await },
                        Input::Snapshot,
                    );
                }
                Output::Send(commands) => {
                    let send = |door: ApiClient| async move { door.commands(&commands).await };
                    self.ask_server(self.api_client(false), send, Input::Outcomes);
                }
                Output::ForgetToken { sign_out } => self.forget_token(sign_out).await,
                Output::Alerts { alerts, open } => self.shielded("ring", |this| this.shell.ring(&alerts, open)),
                Output::Phone { task, call, missed } => {
                    self.shielded("phone", |this| this.phone(task, call.as_deref(), missed));
                }
                Output::SocketBack => self.shielded("socket_back", |this| this.handset.socket_back()),
                Output::Signal { call_id, from, signal } => {
                    self.shielded("signal", |this| this.handset.signal(call_id, from, &signal));
                }
                Output::EndCall { call_id } => {
                    let verb = Verb::Call(CallVerb::End { call_id, dropped: true });
                    self.next.push_back(Input::Act { id: self.clock.id(), verb });
                }
                Output::Tell(told) => self.emit(told),
                Output::Wake { at_tick } => self.wake_at(at_tick),
            }
        }
    }

    /// Returns an API client for the server that the person is signed in to, after confirming that it is the same
    /// installation. `anew` forces the check even after recent contact.
    pub(super) fn api_client(&self, anew: bool) -> impl Future<Output = Result<ApiClient, Fault>> + Send + use<S> {
        let (http, server, token) = (self.http.clone(), self.server.clone(), self.own_token());
        async move {
            http.confirm(&server.base, server.instance, anew).await?;
            Ok(http.api_client(&server.base, known(token.await)?))
        }
    }
}

impl<S: Store + 'static> Controller<S> {
    /// Returns the token of the person who is signed in.
    fn own_token(&self) -> impl Future<Output = Result<Option<Arc<str>>, VaultError>> + Send + use<S> {
        self.keys.token(self.engine.image().person_id())
    }

    /// Passes the call task to the handset. The STUN and TURN servers are fetched while it still rings, so that
    /// answering needs no wait.
    fn phone(&self, task: Task, call: Option<&Call>, missed: usize) {
        self.handset.phone(task, call, missed);
        if matches!(task, Task::Ring { .. } | Task::RingBack { .. } | Task::Talk { .. }) {
            let (door, handset) = (self.api_client(false), std::sync::Arc::clone(&self.handset));
            tokio::spawn(async move {
                let asked = async { door.await?.ice_servers().await };
                match asked.await {
                    Ok(servers) => handset.ice_servers(&servers),
                    Err(error) => tracing::info!(%error, "The server couldn't be asked who helps with calls."),
                }
            });
        }
    }

    fn connect(&mut self, number: u64, cursor: Cursor) {
        let (token, endpoint) = (self.own_token(), self.endpoint);
        let (http, server) = (self.http.clone(), self.server.clone());
        let hello = async move {
            http.confirm(&server.base, server.instance, true).await?;
            Ok(FromClient::Hello {
                token: known(token.await)?.to_string(),
                cursor: Some(cursor.seq),
                event_id: cursor.event_id,
                categories: Vec::new(),
                endpoint: Some(endpoint),
            })
        };
        let tell = self.teller();
        let handset = std::sync::Arc::clone(&self.handset);
        let heard = move |packet: &[u8]| handset.heard(packet);
        let line = self.audio.open(heard);
        let trust = self.http.trust().clone();
        self.socket = Some(Socket::open(number, self.server.base.clone(), trust, hello, tell, line));
    }

    fn listen(&mut self, number: u64, cursor: Cursor) {
        self.socket = Some(Socket::listen(number, self.api_client(true), cursor, self.teller()));
    }

    /// Returns a function that posts a connection's inputs to the loop.
    fn teller(&self) -> impl Fn(Input) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + use<S> {
        let (posts, http, sign_in) = (self.posts.clone(), self.http.clone(), self.sign_in);
        move |input| {
            if let Input::Frame { .. } = input {
                http.heard();
            }
            let posts = posts.clone();
            Box::pin(async move { post(&posts, Post::Net { sign_in, input }).await })
        }
    }

    /// Tests whether a socket gets through.
    fn try_socket(&self) {
        let (server, trust, tell) = (self.server.base.clone(), Arc::clone(self.http.trust()), self.teller());
        tokio::spawn(async move {
            let works = is_let_through(&server, trust).await;
            tell(Input::SocketTried { works }).await;
        });
    }

    /// Abandons all connections over a network that the device has left; TCP would wait for them for minutes.
    fn leave_network(&mut self) {
        self.socket = None;
        match self.http.anew() {
            Ok(http) => self.http = http,
            Err(error) => tracing::warn!(%error, "The connections of another network are kept."),
        }
        self.moves.send_modify(|moves| *moves += 1);
    }

    /// Sends a request to the server in a separate task; the result is always posted as an input.
    fn ask_server<T, Fut>(
        &self,
        door: impl Future<Output = Result<ApiClient, Fault>> + Send + 'static,
        what: impl FnOnce(ApiClient) -> Fut + Send + 'static,
        input: impl FnOnce(Result<T, Fault>) -> Input + Send + 'static,
    ) where
        Fut: Future<Output = Result<T, Fault>> + Send,
        T: Send,
    {
        let (posts, sign_in) = (self.posts.clone(), self.sign_in);
        let mut moves = self.moves.subscribe();
        tokio::spawn(async move {
            let asking = AssertUnwindSafe(async { what(door.await?).await }).catch_unwind();
            let answer = tokio::select! {
                answer = asking => answer.unwrap_or_else(|_| {
                    tracing::error!("A task that asked the server panicked.");
                    Err(Fault::Away(ConnectionError::Failed))
                }),
                Ok(()) = moves.changed() => Err(Fault::Away(ConnectionError::Moved)),
            };
            post(&posts, Post::Net { sign_in, input: input(answer) }).await;
        });
    }

    async fn forget_token(&mut self, sign_out: bool) {
        self.socket = None;
        self.sign_in += 1;
        if sign_out {
            self.keys.retire(self.server.clone());
            self.revoke_tokens();
        } else {
            self.keys.forget();
        }
        self.voice.clear().await;
    }
}

/// Posts to the controller, unless it has ended.
pub(super) async fn post(posts: &tokio::sync::mpsc::WeakSender<Post>, what: Post) {
    if let Some(posts) = posts.upgrade() {
        let _ = posts.send(what).await;
    }
}

/// Converts the vault's result to a token. A missing token is no proof of its invalidity; only the server decides on
/// that.
fn known(token: Result<Option<Arc<str>>, VaultError>) -> Result<Arc<str>, Fault> {
    let away = |why: String| Fault::Away(ConnectionError::Vault { why });
    token.map_err(|error| away(error.0))?.ok_or_else(|| away("it is empty".to_owned()))
}
