//! The engine: a pure, deterministic state machine. It receives inputs and the time and returns outputs; it performs no
//! I/O and has no clock or random source.
//!
//! ```text
//!            ┌──────────── Engine ────────────┐
//!   Input ──▶│ decide(&self, input, now)      │──▶ Step { writes, answer, … }
//!            │                                │         │ the driver writes them to the Store
//!   Output ◀─│ commit(step, now)              │◀────────┘ and only then:
//!            └────────────────────────────────┘
//! ```
//!
//! Nothing is shown, sent or sounded before the state behind it is on the disk: [`Engine::decide`] changes nothing, and
//! a step whose writes failed is dropped. [`Engine::commit`] applies the writes to the image in memory and returns the
//! outputs: frames and commands to send, alerts to ring, UI events. A device that is killed between any two of these
//! resumes from its store and performs the rest once, as commands carry an idempotency key.
//!
//! | file | purpose |
//! |---|---|
//! | `input`, `output` | the engine's inputs and outputs |
//! | `act` | a person's commands: decided by the server's own rules, stored, then shown as a local echo |
//! | `log` | processing of entries and snapshots |
//! | `outbox` | sends commands in order until the server accepts or refuses them |
//! | `link` | connecting, heartbeats, back-off |
//! | `path` | the transport: a socket, or an event stream where no socket gets through |
//! | `token` | validation of the session token before a wipe |
//! | `phone` | call state of this device |
//! | `presence` | who is online, and last-seen times |
//! | `gone` | calls whose other endpoint is gone |
//! | `echo` | local echo |
//! | `tell` | the events emitted to the UI |

mod act;
mod echo;
mod input;
mod link;
mod log;
mod outbox;
mod output;
mod path;
mod peer_loss;
mod phone;
mod presence;
mod session;
mod step;
mod tell;
#[cfg(test)]
mod tests;
mod token;
mod volatile_state;

use std::collections::BTreeSet;

use crewbell_shared::ids::{CallId, EndpointId, RequestId};
use crewbell_shared::protocol::EntityType;

use crate::screen::ViewState;
use crate::store::{EntityKey, Image};

pub use input::{Fault, Input, Now, Snapshot};
#[cfg(feature = "native")]
pub(crate) use log::line_of;
pub use output::Output;
#[cfg(feature = "native")]
pub(crate) use session::{LAST_SESSION, TO_REVOKE};
pub use step::Step;

use echo::Echo;
use tell::LastTold;
use volatile_state::VolatileState;

/// The engine of one device.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    /// The stored state.
    image: Image,
    /// The volatile state.
    live: VolatileState,
    /// The local echo of the outbox.
    echo: Echo,
    /// Index of requests shown as open, or as pressed again since they were accepted: those that may ring.
    open: BTreeSet<RequestId>,
    /// Index of this person's live calls.
    calls: BTreeSet<CallId>,
    /// Index of calls that this person missed and hasn't seen.
    missed: BTreeSet<CallId>,
    /// The id of this run of the app as a call endpoint; none for a device without voice support.
    endpoint: Option<EndpointId>,
    /// The state last emitted to the UI.
    last: LastTold,
}

impl Engine {
    /// Creates an engine from the stored state.
    pub fn new(image: Image) -> Self {
        let echo = Echo::of(&image);
        let mut engine = Self { image, echo, ..Self::default() };
        let keys: Vec<EntityKey> = engine.image.entities.keys().chain(engine.echo.keys()).copied().collect();
        engine.index(keys);
        engine
    }

    /// Sets the device's call endpoint.
    #[must_use]
    pub fn with_endpoint(self, endpoint: EndpointId) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// Returns the stored state.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Computes the effects of an input without changing the engine; the step's writes go to the store first.
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

    /// Applies a step whose writes are on the disk, and returns the outputs in order.
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

    /// Returns the complete state for a new window.
    pub fn picture(&self, now: Now) -> ViewState {
        self.look(now)
    }

    /// Updates the indexes of open requests and live calls for these entities.
    fn index(&mut self, keys: impl IntoIterator<Item = EntityKey>) {
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
