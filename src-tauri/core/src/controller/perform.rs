//! Doing what the engine asks, in order. Nothing here waits for a network or a screen.

use std::panic::AssertUnwindSafe;

use crewbell_shared::call::Call;
use crewbell_shared::protocol::Verb;
use crewbell_shared::protocol::live::FromClient;
use crewbell_shared::{Code, Refusal};
use futures_util::FutureExt;

use super::run::{Controller, Post};
use crate::engine::{Fault, Input, Output};
use crate::net::{Door, Socket};
use crate::screen::{Task, Trouble};
use crate::store::{Cursor, Store};

impl<S: Store + 'static> Controller<S> {
    pub(super) async fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Connect { socket, cursor } => self.connect(socket, cursor),
                Output::Disconnect => self.socket = None,
                Output::Moved => self.leave_network(),
                Output::Say(frame) => {
                    if self.socket.as_ref().is_some_and(|socket| !socket.say(frame)) {
                        // The engine hears nothing more from it, and takes it for dead.
                        self.socket = None;
                    }
                }
                Output::FetchSnapshot => {
                    self.ask_server(|door| async move { door.snapshot().await }, Input::Snapshot);
                }
                Output::Send(commands) => {
                    self.ask_server(|door| async move { door.commands(&commands).await }, Input::Outcomes);
                }
                Output::ForgetToken { sign_out } => self.forget_token(sign_out).await,
                Output::Alerts { alerts, open } => self.shell.ring(&alerts, open),
                Output::Phone { task, call, missed } => self.phone(task, call.as_deref(), missed),
                Output::SocketBack => self.handset.socket_back(),
                Output::Signal { call_id, from, signal } => self.handset.signal(call_id, from, &signal),
                Output::EndCall { call_id } => {
                    let act = Input::Act { id: self.clock.id(), verb: Verb::EndCall { call_id, dropped: true } };
                    // Nobody waits for the answer: what comes of it is told.
                    let _ = Box::pin(self.step(act)).await;
                }
                Output::Tell(told) => self.tell(told),
                Output::Wake { at_tick } => self.wake_at(at_tick),
            }
        }
    }

    /// The door of the server where the person is signed in.
    pub(super) fn door(&self) -> impl Future<Output = Result<Door, Fault>> + Send + use<S> {
        let (http, server, token) = (self.http.clone(), self.server.clone(), self.keys.token());
        async move {
            match token.await {
                Ok(Some(token)) => Ok(http.door(&server, token)),
                // Who has no token is as one whom the server signed out.
                Ok(None) => Err(Fault::Refused(no_token())),
                Err(error) => Err(Fault::Away(Trouble::Vault { why: error.0 })),
            }
        }
    }
}

impl<S: Store + 'static> Controller<S> {
    /// Who may help is asked for while it still rings, so that nothing is waited for once it is answered.
    fn phone(&self, task: Task, call: Option<&Call>, missed: usize) {
        self.handset.phone(task, call, missed);
        if matches!(task, Task::Ring { .. } | Task::RingBack { .. } | Task::Talk { .. }) {
            let (door, handset) = (self.door(), std::sync::Arc::clone(&self.handset));
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
        let (token, endpoint) = (self.keys.token(), self.endpoint);
        let hello = async move {
            match token.await {
                Ok(Some(token)) => Ok(FromClient::Hello {
                    token: token.to_string(),
                    cursor: Some(cursor.seq),
                    event_id: cursor.event_id,
                    categories: Vec::new(),
                    endpoint: Some(endpoint),
                }),
                Ok(None) => Err(Fault::Refused(no_token())),
                Err(error) => Err(Fault::Away(Trouble::Vault { why: error.0 })),
            }
        };
        let (posts, sign_in) = (self.posts.clone(), self.sign_in);
        let tell = move |input| {
            let posts = posts.clone();
            async move { post(&posts, Post::Net { sign_in, input }).await }
        };
        let handset = std::sync::Arc::clone(&self.handset);
        let heard = move |packet: &[u8]| handset.heard(packet);
        let line = self.audio.open(heard);
        let trust = self.http.trust().clone();
        self.socket = Some(Socket::open(number, self.server.clone(), trust, hello, tell, line));
    }

    /// Gives up what goes over a network that the device has left: TCP would wait for it for minutes.
    fn leave_network(&mut self) {
        self.socket = None;
        match self.http.anew() {
            Ok(http) => self.http = http,
            Err(error) => tracing::warn!(%error, "The connections of another network are kept."),
        }
        self.moves.send_modify(|moves| *moves += 1);
    }

    /// Asks the server, beside the loop; the answer comes back as an input, whatever happens.
    fn ask_server<T, Fut>(
        &self,
        what: impl FnOnce(Door) -> Fut + Send + 'static,
        input: impl FnOnce(Result<T, Fault>) -> Input + Send + 'static,
    ) where
        Fut: Future<Output = Result<T, Fault>> + Send,
        T: Send,
    {
        let (door, posts, sign_in) = (self.door(), self.posts.clone(), self.sign_in);
        let mut moves = self.moves.subscribe();
        tokio::spawn(async move {
            let asking = AssertUnwindSafe(async { what(door.await?).await }).catch_unwind();
            let answer = tokio::select! {
                answer = asking => answer.unwrap_or_else(|_| {
                    tracing::error!("A task that asked the server panicked.");
                    Err(Fault::Away(Trouble::Failed))
                }),
                Ok(()) = moves.changed() => Err(Fault::Away(Trouble::Moved)),
            };
            post(&posts, Post::Net { sign_in, input: input(answer) }).await;
        });
    }

    async fn forget_token(&mut self, sign_out: bool) {
        self.socket = None;
        self.sign_in += 1;
        if sign_out {
            let door = self.door();
            tokio::spawn(async move {
                let out = async { door.await?.logout().await };
                if let Err(error) = out.await {
                    tracing::info!(%error, "The server couldn't be told of the sign-out.");
                }
            });
        }
        self.keys.forget();
        self.voice.clear().await;
    }
}

/// Posts to the controller, unless it is gone.
pub(super) async fn post(posts: &tokio::sync::mpsc::WeakSender<Post>, what: Post) {
    if let Some(posts) = posts.upgrade() {
        let _ = posts.send(what).await;
    }
}

fn no_token() -> Refusal {
    Refusal::new(Code::NotSignedIn, "The sign-in is no longer on this device.")
}
