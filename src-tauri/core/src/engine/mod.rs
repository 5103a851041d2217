//! The engine: a pure state machine. Inputs in, outputs out, time passed in; no I/O, no clock, no randomness.
//!
//! ```text
//!            ┌──────────── Engine ────────────┐
//!   Input ──▶│ decide(&self, input, now)      │──▶ Step { writes, answer, … }
//!            │                                │         │ the driver writes them to the Store
//!   Output ◀─│ commit(step, now)              │◀────────┘ and only then:
//!            └────────────────────────────────┘
//! ```
//!
//! Nothing is shown, sent or sounded before what it rests on is on the disk: [`Engine::decide`] changes nothing, and a
//! step whose writes failed is dropped. [`Engine::commit`] applies the writes to the image in memory and says what
//! follows: frames and commands to send, what rings, what the screens show. Killed between any two of these, a device
//! starts again from its store and does the rest, once: a command carries its id.
//!
//! | file | what |
//! |---|---|
//! | `input`, `output` | what comes in and goes out |
//! | `act` | a person does something: local echo by the server's own rules, kept before it is shown |
//! | `log` | entries and snapshots come in |
//! | `outbox` | what was done is sent, in order, until the server has said yes or no |
//! | `link` | connecting, heartbeats, backing off |
//! | `path` | a socket, or an event stream where none gets through |
//! | `token` | what wipes a device is said twice |
//! | `phone` | the call on this device |
//! | `presence` | who is there, and when the others last were |
//! | `gone` | a call whose other side is gone |
//! | `echo` | the nouns as they are to be shown |
//! | `tell` | what the screens are told |

mod act;
mod echo;
mod gone;
mod input;
mod link;
mod live;
mod log;
mod outbox;
mod output;
mod path;
mod phone;
mod presence;
mod session;
mod step;
mod tell;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeSet;

use crewbell_shared::ids::{CallId, EndpointId, RequestId};
use crewbell_shared::protocol::EntityType;

use crate::screen::Picture;
use crate::store::{Image, Key};

pub use input::{Fault, Input, Now, Snapshot};
#[cfg(feature = "native")]
pub(crate) use log::line_of;
pub use output::Output;
#[cfg(feature = "native")]
pub(crate) use session::{LAST_SESSION, TO_REVOKE};
pub use step::Step;

use echo::Echo;
use live::Live;
use tell::LastTold;

/// The engine of one device.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    /// What is on the disk.
    image: Image,
    /// What a restart forgets.
    live: Live,
    /// What the outbox makes of the image.
    echo: Echo,
    /// The requests that are shown as open, or as pressed again since somebody took them: those that may ring.
    open: BTreeSet<RequestId>,
    /// The calls of this person that go on.
    calls: BTreeSet<CallId>,
    /// The calls that this person missed and hasn't seen.
    missed: BTreeSet<CallId>,
    /// This run of the app, as the others call it; none for a device without a voice.
    endpoint: Option<EndpointId>,
    /// What the screens know.
    last: LastTold,
}

impl Engine {
    /// An engine that goes on from what was kept.
    pub fn new(image: Image) -> Self {
        let echo = Echo::of(&image);
        let mut engine = Self { image, echo, ..Self::default() };
        let keys: Vec<Key> = engine.image.nouns.keys().chain(engine.echo.keys()).copied().collect();
        engine.index(keys);
        engine
    }

    /// The same, for a device that speaks under this name.
    #[must_use]
    pub fn with_endpoint(self, endpoint: EndpointId) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// What is kept.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Decides what an input means. Changes nothing: the step's writes go to the store first.
    pub fn decide(&self, input: Input, now: Now) -> Step {
        let mut step = Step::new(self.live.clone());
        match input {
            Input::Start => self.start(&mut step, now),
            Input::Recovered => {
                self.start(&mut step, now);
                step.live.started_at = None;
            }
            Input::SayAgain => step.say_again = true,
            Input::SignedIn(session) => Self::signed_in(&mut step, session),
            Input::AnothersToken => self.anothers_token(&mut step),
            Input::SignOut { discard } => self.sign_out(&mut step, discard),
            Input::Act { id, verb } => self.act(&mut step, id, verb, now),
            Input::Retry { id, new_id } => self.retry(&mut step, id, new_id, now),
            Input::Discard { id } => self.discard(&mut step, id),
            Input::Set { name, value } => step.writes.push(crate::store::Write::Set(name, value)),
            Input::PutAway { notice } => Self::put_away(&mut step, &notice),
            Input::Silence => self.silence(&mut step, now),
            Input::Opened { socket, from } => Self::opened(&mut step, socket, from),
            Input::Frame { socket, frame } => self.frame(&mut step, socket, *frame, now),
            Input::Garbled { socket } => Self::garbled(&mut step, socket, now),
            Input::Closed { socket, why } => self.closed(&mut step, socket, why, now),
            Input::SocketTried { works } => self.socket_tried(&mut step, works, now),
            Input::Token(result) => self.token(&mut step, result, now),
            Input::Snapshot(result) => self.snapshot(&mut step, result, now),
            Input::Outcomes(result) => self.outcomes(&mut step, result, now),
            Input::Network { there } => step.live.network(there, now),
            Input::Addresses { lost, gained } => self.moved(&mut step, &lost, &gained, now),
            Input::Woke => step.live.woke(now),
            Input::Ears(ears) => Self::ears(&mut step, ears),
            Input::Sounded { request_id } => Self::sounded(&mut step, request_id, now),
            Input::Storage(state) => step.live.storage = state,
            Input::Unreadable { count } => self.unreadable(&mut step, count),
            Input::Notice(notice) => step.live.note(notice),
            Input::Signal { call_id, to, signal } => Self::signal(&mut step, call_id, to, signal),
            Input::Media(media) => Self::media(&mut step, media),
            Input::Tick => {}
        }
        self.give_up_live(&mut step);
        self.forget_closed(&mut step, now);
        step
    }

    /// Applies a step whose writes are on the disk, and says what follows, in order.
    pub fn commit(&mut self, step: Step, now: Now) -> Vec<Output> {
        let Step { writes, live, outputs, answer: _, told, say_again } = step;
        let before = self.shown_before(&writes);
        self.image.apply(&writes);
        self.live = live;
        self.last.said &= !say_again;
        let mut outputs = outputs;
        self.keep_connected(now, &mut outputs);
        self.keep_sending(now, &mut outputs);
        self.tell(&writes, before, told, now, &mut outputs);
        outputs.push(Output::Wake { at_tick: self.next_tick(now) });
        outputs
    }

    /// All that a window needs to begin with.
    pub fn picture(&self, now: Now) -> Picture {
        self.look(now)
    }

    /// Notes which of these are open requests, and calls that go on.
    fn index(&mut self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            if key.entity_type == EntityType::Call {
                self.index_call(CallId(key.id));
            }
            if key.entity_type != EntityType::Request {
                continue;
            }
            let id = RequestId(key.id);
            if self.open_request(id).is_some() {
                self.open.insert(id);
            } else {
                self.open.remove(&id);
            }
        }
    }
}
