//! Who says what when, so that two sessions find each other: pure, with signals, events and the time going in, and
//! steps coming out.
//!
//! The caller makes all offers, so that two can't cross. The one who was called asks for them.
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
//! Packets go over UDP while it is connected, and over the socket (`Relay`) when it isn't: two seconds after the start,
//! at once when it was and broke. Each side decides for what it sends, and follows the other onto the socket, since a
//! side that isn't connected can't be reached otherwise. ICE is tried again all the while, less and less often.

use std::time::Duration;

use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;

use super::{Candidate, Event};

/// How long UDP has until packets go over the socket: both sides are to be heard within three seconds of the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long until what has no answer is said again: a signal may be lost with the socket it was said on. Shorter than the
/// patience with UDP, so that one which is lost isn't taken for a network without it.
const REPEAT: Duration = Duration::from_secs(1);

/// How long a restart has until the next is tried, at first and at last.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_mins(1);

/// The part of this side in the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Makes the offers.
    Caller,
    /// Answers them.
    Called,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The session is open.
    Opened,
    /// A signal came.
    Signal {
        /// Of which call.
        call_id: CallId,
        /// From which device.
        from: EndpointId,
        /// What.
        signal: Signal,
    },
    /// The session said something of itself.
    Event(Event),
    /// The session made the offer that a step asked for.
    Offered(String),
    /// The session made the answer that a step asked for.
    Answered(String),
    /// The session could not do what a step asked for.
    Refused,
    /// This device has other addresses than before.
    NetworkChanged,
    /// The live socket is open again, of this side or the other: what was said while it was not is lost.
    SocketBack,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Say this to the other device.
    Say(Signal),
    /// Make an offer, and give it back as [`Input::Offered`].
    Offer {
        /// Whether it begins a new ICE generation.
        restart: bool,
    },
    /// Take this offer, and give the answer back as [`Input::Answered`].
    AcceptOffer(String),
    /// Take this answer.
    AcceptAnswer(String),
    /// Take this candidate.
    AddCandidate(Candidate),
    /// Send packets by this way from now on.
    Send(Way),
    /// The other side hung up.
    HungUp,
}

/// How packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nowhere yet: UDP still has time to connect.
    Nowhere,
    /// By the session.
    Udp,
    /// As frames over the live socket.
    Socket,
}

/// Where the exchange of descriptions stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exchange {
    /// Not begun; the one who was called has asked for an offer if `asked` is a time.
    Idle { asked: Option<Duration> },
    /// The session is making an offer, after whose answer comes another if `again`.
    Offering { again: bool },
    /// The offer awaits its answer since it was said last; then comes another if `again`.
    Offered { sdp: String, said: Duration, again: bool },
    /// The session is making an answer to this offer.
    Answering { offer: String },
    /// Both sides have both descriptions; the one who was called keeps them, to answer the same again.
    Agreed { offer: String, answer: String },
}

/// The negotiation of one call between two devices.
#[derive(Clone, Debug)]
pub struct Negotiation {
    role: Role,
    call_id: CallId,
    peer: EndpointId,
    exchange: Exchange,
    /// The last answer that was taken: an answer doesn't name its offer, and this one may come twice.
    last_answer: Option<String>,
    connected: bool,
    /// Whether the other side said that it sends over the socket.
    peer_relays: bool,
    /// Whether this side said so.
    said_relay: bool,
    way: Way,
    /// When packets go to the socket if nothing is connected until then.
    patience_ends: Option<Duration>,
    /// When ICE is restarted if nothing is connected until then, and how long the next attempt has.
    retry: Option<Duration>,
    retry_after: Duration,
}

impl Negotiation {
    /// Before anything was said.
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
            way: Way::Nowhere,
            patience_ends: None,
            retry: None,
            retry_after: FIRST_RETRY,
        }
    }

    /// How packets go now.
    pub fn way(&self) -> Way {
        self.way
    }

    /// When [`Input::Tick`] is due, in the same time as `at` of [`handle`](Self::handle).
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

    /// What follows from an input, at a time since any beginning.
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
                    // An offer that is out names addresses that are gone.
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
            // Out of role, or of a newer version.
            (Signal::Offer { .. } | Signal::Answer { .. } | Signal::Ready | Signal::Restart | Signal::Unknown, _) => {}
        }
    }

    fn hear_offer(&mut self, sdp: String, steps: &mut Vec<Step>) {
        match &self.exchange {
            // Said again because our answer was lost, or is yet to come.
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
                // What broke needs no patience: until it is mended, the socket may get through.
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

    /// What the session refused is forgotten: the other side may say it better, and the socket is there meanwhile.
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
            // A new way is being asked for: what the other side said of the old one crossed the offer.
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

    /// Says again what may have been lost.
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

    /// Whether there is a call to mend.
    fn is_under_way(&self) -> bool {
        self.connected || self.retry.is_some()
    }

    /// Whether this side gets nothing through by UDP, and won't wait for it.
    fn is_lacking(&self) -> bool {
        self.is_under_way() && !self.connected && self.patience_ends.is_none()
    }

    fn choose_way(&mut self, steps: &mut Vec<Step>) {
        // The other side is told of what is lacking here, not of where packets go: else each would wait for the other.
        if self.is_lacking() != self.said_relay {
            self.said_relay = !self.said_relay;
            steps.push(Step::Say(Signal::Relay { on: self.said_relay }));
        }
        let way = if self.said_relay || (self.peer_relays && self.is_under_way()) {
            Way::Socket
        } else if self.connected {
            Way::Udp
        } else {
            Way::Nowhere
        };
        if way != self.way {
            self.way = way;
            steps.push(Step::Send(way));
        }
    }
}

#[cfg(test)]
mod tests;
