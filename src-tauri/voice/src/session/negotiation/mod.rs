//! The signalling state machine of a call. It is pure: signals, events and the time are its inputs, steps its outputs.
//!
//! The caller makes all offers, which excludes glare. The callee asks for them.
//!
//! ```text
//!  caller                         called
//!    │ ◄──────── Ready ────────────  │   prepared; again every second until there is an offer
//!    │ ───────── Offer ───────────►  │   again every second until there is an answer
//!    │ ◄──────── Answer ───────────  │   an offer that was answered is answered the same again
//!    │ ◄─────── Candidate ────────►  │
//!    │ ◄──────── Restart ──────────  │   its network changed, or nothing comes through
//!    │ ───────── Offer ───────────►  │   a new ICE generation
//! ```
//!
//! Packets go over UDP while that is connected, and over the socket (`Relay`) otherwise: two seconds after the start,
//! or at once after a connection was lost. Each side decides for its own packets, and follows the other onto the
//! socket, since an unconnected side can't be reached otherwise. Meanwhile ICE is retried with increasing back-off.

use std::time::Duration;

use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;

use super::{Candidate, Event};

/// Time limit for UDP before packets go over the socket: audio must flow within three seconds of the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The retransmission interval of unanswered signals, which may be lost with their socket. It is shorter than the limit
/// for UDP, so that a lost signal isn't taken for blocked UDP.
const REPEAT: Duration = Duration::from_secs(1);

/// The initial and the maximum back-off between ICE restarts.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_mins(1);

/// The role of this side in the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The caller, who makes the offers.
    Caller,
    /// The callee, who answers them.
    Called,
}

/// An input of the state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The session is open.
    Opened,
    /// A signal arrived.
    Signal {
        /// The call's id.
        call_id: CallId,
        /// The sender.
        from: EndpointId,
        /// The signal.
        signal: Signal,
    },
    /// The session emitted an event.
    Event(Event),
    /// The session made the offer that a step requested.
    Offered(String),
    /// The session made the answer that a step requested.
    Answered(String),
    /// The session failed to do a step.
    Refused,
    /// The addresses of this device changed.
    NetworkChanged,
    /// The live socket of this side or the other is open again; signals may have been lost meanwhile.
    SocketBack,
    /// A deadline has passed.
    Tick,
}

/// An output of the state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this signal to the other device.
    Say(Signal),
    /// Make an offer, and return it as [`Input::Offered`].
    Offer {
        /// Whether it restarts ICE.
        restart: bool,
    },
    /// Accept this offer, and return the answer as [`Input::Answered`].
    AcceptOffer(String),
    /// Accept this answer.
    AcceptAnswer(String),
    /// Add this candidate.
    AddCandidate(Candidate),
    /// Send packets by this path from now on.
    Send(MediaPath),
    /// The other side hung up.
    HungUp,
}

/// The path of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaPath {
    /// No path yet: UDP still has time to connect.
    Nowhere,
    /// UDP, through the session.
    Udp,
    /// The live socket, as frames.
    Socket,
}

/// The state of the offer/answer exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exchange {
    /// Not begun; `asked` is when the callee last asked for an offer.
    Idle { asked: Option<Duration> },
    /// The session is making an offer; `again` requests another one after its answer.
    Offering { again: bool },
    /// The offer was last sent at `said` and awaits its answer; `again` requests another one after it.
    Offered { sdp: String, said: Duration, again: bool },
    /// The session is making an answer to this offer.
    Answering { offer: String },
    /// Both sides have both descriptions; the callee keeps them to resend the same answer.
    Agreed { offer: String, answer: String },
}

/// The negotiation of one call between two devices.
#[derive(Clone, Debug)]
pub struct Negotiation {
    role: Role,
    call_id: CallId,
    peer: EndpointId,
    exchange: Exchange,
    /// The last accepted answer, for duplicate detection, since an answer doesn't identify its offer.
    last_answer: Option<String>,
    connected: bool,
    /// Whether the other side sends over the socket.
    peer_relays: bool,
    /// Whether this side has sent `Relay` with `on`.
    said_relay: bool,
    way: MediaPath,
    /// The time limit for UDP, after which packets go over the socket.
    patience_ends: Option<Duration>,
    /// The time of the next ICE restart if nothing is connected until then, and the back-off after it.
    retry: Option<Duration>,
    retry_after: Duration,
}

impl Negotiation {
    /// Makes the initial state.
    pub fn new(role: Role, call_id: CallId, peer: EndpointId) -> Self {
        Self {
            role,
            call_id,
            peer,
            exchange: Exchange::Idle { asked: None },
            last_answer: None,
            connected: false,
            peer_relays: false,
            said_relay: false,
            way: MediaPath::Nowhere,
            patience_ends: None,
            retry: None,
            retry_after: FIRST_RETRY,
        }
    }

    /// The present path of packets.
    pub fn way(&self) -> MediaPath {
        self.way
    }

    /// When [`Input::Tick`] is due, in the time of `at` of [`handle`](Self::handle).
    pub fn deadline(&self) -> Option<Duration> {
        let repeat = match &self.exchange {
            Exchange::Idle { asked: Some(at) } | Exchange::Offered { said: at, .. } => Some(*at + REPEAT),
            Exchange::Idle { asked: None }
            | Exchange::Offering { .. }
            | Exchange::Answering { .. }
            | Exchange::Agreed { .. } => None,
        };
        [repeat, self.patience_ends, self.retry].into_iter().flatten().min()
    }

    /// Handles an input at a time since an arbitrary start, and returns the steps to do.
    pub fn handle(&mut self, input: Input, at: Duration) -> Vec<Step> {
        let mut steps = Vec::new();
        match input {
            Input::Opened => self.open(at, &mut steps),
            Input::Signal { call_id, from, signal } => {
                if call_id == self.call_id && from == self.peer {
                    self.hear(signal, at, &mut steps);
                }
            }
            Input::Event(event) => self.notice(event, at, &mut steps),
            Input::Offered(sdp) => self.offered(sdp, at, &mut steps),
            Input::Answered(sdp) => self.answered(sdp, &mut steps),
            Input::Refused => self.refused(),
            Input::NetworkChanged => {
                if self.is_under_way() {
                    // A pending offer names addresses that are gone.
                    if let Exchange::Offering { again } | Exchange::Offered { again, .. } = &mut self.exchange {
                        *again = true;
                    }
                    self.restart(at, &mut steps);
                }
            }
            Input::SocketBack => {
                self.repeat(at, &mut steps);
                if self.said_relay {
                    steps.push(Step::Say(Signal::Relay { on: true }));
                }
            }
            Input::Tick => self.tick(at, &mut steps),
        }
        self.choose_way(&mut steps);
        steps
    }

    fn open(&mut self, at: Duration, steps: &mut Vec<Step>) {
        self.patience_ends = Some(at + PATIENCE);
        self.retry = Some(at + PATIENCE + self.retry_after);
        match self.role {
            Role::Caller => self.make_offer(false, steps),
            Role::Called => {
                self.exchange = Exchange::Idle { asked: Some(at) };
                steps.push(Step::Say(Signal::Ready));
            }
        }
    }

    fn hear(&mut self, signal: Signal, at: Duration, steps: &mut Vec<Step>) {
        match (signal, self.role) {
            (Signal::Offer { sdp }, Role::Called) => self.hear_offer(sdp, steps),
            (Signal::Answer { sdp }, Role::Caller) => self.hear_answer(sdp, at, steps),
            (Signal::Ready, Role::Caller) => self.repeat(at, steps),
            (Signal::Restart, Role::Caller) => self.restart(at, steps),
            (Signal::Candidate { candidate, sdp_mid, sdp_mline_index, username_fragment }, _) => {
                let candidate = Candidate { candidate, sdp_mid, sdp_mline_index, username_fragment };
                steps.push(Step::AddCandidate(candidate));
            }
            (Signal::Relay { on }, _) => self.peer_relays = on,
            (Signal::HangUp, _) => steps.push(Step::HungUp),
            // A signal for the other role, or of a newer version.
            (Signal::Offer { .. } | Signal::Answer { .. } | Signal::Ready | Signal::Restart | Signal::Unknown, _) => {}
        }
    }

    fn hear_offer(&mut self, sdp: String, steps: &mut Vec<Step>) {
        match &self.exchange {
            // A retransmission, because the answer was lost or is still pending.
            Exchange::Agreed { offer, answer } if *offer == sdp => {
                steps.push(Step::Say(Signal::Answer { sdp: answer.clone() }));
            }
            Exchange::Answering { offer } if *offer == sdp => {}
            Exchange::Idle { .. }
            | Exchange::Offering { .. }
            | Exchange::Offered { .. }
            | Exchange::Answering { .. }
            | Exchange::Agreed { .. } => {
                self.exchange = Exchange::Answering { offer: sdp.clone() };
                steps.push(Step::AcceptOffer(sdp));
            }
        }
    }

    fn hear_answer(&mut self, sdp: String, at: Duration, steps: &mut Vec<Step>) {
        let Exchange::Offered { sdp: offer, again, .. } = &self.exchange else { return };
        if self.last_answer.as_ref() == Some(&sdp) {
            return;
        }
        let again = *again;
        self.last_answer = Some(sdp.clone());
        self.exchange = Exchange::Agreed { offer: offer.clone(), answer: sdp.clone() };
        steps.push(Step::AcceptAnswer(sdp));
        if again {
            self.restart(at, steps);
        }
    }

    fn notice(&mut self, event: Event, at: Duration, steps: &mut Vec<Step>) {
        match event {
            Event::Candidate(Candidate { candidate, sdp_mid, sdp_mline_index, username_fragment }) => {
                steps.push(Step::Say(Signal::Candidate { candidate, sdp_mid, sdp_mline_index, username_fragment }));
            }
            Event::Connected => {
                self.connected = true;
                self.patience_ends = None;
                self.retry = None;
                self.retry_after = FIRST_RETRY;
            }
            Event::Disconnected | Event::Failed => {
                // A lost connection gets no time limit: the socket is used until it recovers.
                self.patience_ends = None;
                self.restart(at, steps);
            }
        }
    }

    fn offered(&mut self, sdp: String, at: Duration, steps: &mut Vec<Step>) {
        let again = matches!(self.exchange, Exchange::Offering { again: true });
        steps.push(Step::Say(Signal::Offer { sdp: sdp.clone() }));
        self.exchange = Exchange::Offered { sdp, said: at, again };
    }

    fn answered(&mut self, answer: String, steps: &mut Vec<Step>) {
        if let Exchange::Answering { offer } = &self.exchange {
            self.exchange = Exchange::Agreed { offer: offer.clone(), answer: answer.clone() };
            steps.push(Step::Say(Signal::Answer { sdp: answer }));
        }
    }

    /// Resets the exchange after the session refused a description: the other side may send a better one, and the
    /// socket is used meanwhile.
    fn refused(&mut self) {
        if matches!(self.exchange, Exchange::Offering { .. } | Exchange::Answering { .. }) {
            self.exchange = Exchange::Idle { asked: None };
        }
    }

    fn restart(&mut self, at: Duration, steps: &mut Vec<Step>) {
        self.connected = false;
        self.retry = Some(at + self.retry_after);
        match (self.role, &self.exchange) {
            (Role::Called, _) => steps.push(Step::Say(Signal::Restart)),
            // A restart is in progress already; the other side's request crossed the offer.
            (Role::Caller, Exchange::Offering { .. } | Exchange::Offered { .. }) => {}
            (Role::Caller, Exchange::Idle { .. } | Exchange::Answering { .. } | Exchange::Agreed { .. }) => {
                self.make_offer(true, steps);
            }
        }
    }

    fn make_offer(&mut self, restart: bool, steps: &mut Vec<Step>) {
        self.exchange = Exchange::Offering { again: false };
        steps.push(Step::Offer { restart });
    }

    /// Retransmits signals that may have been lost.
    fn repeat(&mut self, at: Duration, steps: &mut Vec<Step>) {
        match &mut self.exchange {
            Exchange::Offered { sdp, said, .. } => {
                *said = at;
                steps.push(Step::Say(Signal::Offer { sdp: sdp.clone() }));
            }
            Exchange::Idle { asked } if self.role == Role::Called && self.patience_ends.or(self.retry).is_some() => {
                *asked = Some(at);
                steps.push(Step::Say(Signal::Ready));
            }
            Exchange::Agreed { .. } if !self.connected => self.restart(at, steps),
            Exchange::Idle { .. }
            | Exchange::Offering { .. }
            | Exchange::Answering { .. }
            | Exchange::Agreed { .. } => {}
        }
    }

    fn tick(&mut self, at: Duration, steps: &mut Vec<Step>) {
        let is_due = |time: Duration| time <= at;
        let unanswered = match &self.exchange {
            Exchange::Idle { asked: Some(since) } | Exchange::Offered { said: since, .. } => is_due(*since + REPEAT),
            Exchange::Idle { asked: None }
            | Exchange::Offering { .. }
            | Exchange::Answering { .. }
            | Exchange::Agreed { .. } => false,
        };
        if self.patience_ends.is_some_and(is_due) {
            self.patience_ends = None;
        }
        if self.retry.is_some_and(is_due) {
            self.retry_after = (self.retry_after * 2).min(LAST_RETRY);
            self.restart(at, steps);
        }
        if unanswered {
            self.repeat(at, steps);
        }
    }

    /// Whether the call is connected or connecting.
    fn is_under_way(&self) -> bool {
        self.connected || self.retry.is_some()
    }

    /// Whether UDP isn't connected and its time limit has passed.
    fn is_lacking(&self) -> bool {
        self.is_under_way() && !self.connected && self.patience_ends.is_none()
    }

    fn choose_way(&mut self, steps: &mut Vec<Step>) {
        // `Relay` reports this side's lack of UDP, not its present path; otherwise each side would wait for the other.
        if self.is_lacking() != self.said_relay {
            self.said_relay = !self.said_relay;
            steps.push(Step::Say(Signal::Relay { on: self.said_relay }));
        }
        let way = if self.said_relay || (self.peer_relays && self.is_under_way()) {
            MediaPath::Socket
        } else if self.connected {
            MediaPath::Udp
        } else {
            MediaPath::Nowhere
        };
        if way != self.way {
            self.way = way;
            steps.push(Step::Send(way));
        }
    }
}

#[cfg(test)]
mod tests;
