//! The switchboard: forwards signals and voice between the endpoints of live calls.
//!
//! The log tells which calls are live ([`calls`]). The connections and mailboxes of their endpoints are in [`endpoints`]. A
//! signal or voice packet goes from one endpoint of a live call to the other and to no one else: both are identified by
//! person *and* endpoint id, because an endpoint id is no secret. Nothing is stored.

mod calls;
mod endpoints;

use axum::body::Bytes;
use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::protocol::AudioFrame;
use crewbell_shared::protocol::live::{FromServer, Signal};
use crewbell_shared::{Code, Refusal};

use calls::LiveCalls;
use endpoints::Endpoints;

pub use endpoints::EndpointGuard;
pub(crate) use endpoints::SIGNAL_RATE;

/// Maximum size of a signal in bytes.
pub const LARGEST_SIGNAL: usize = 16 * 1024;

/// Key of an endpoint: a person and a run of their app.
pub type EndpointKey = (PersonId, EndpointId);

/// The switchboard of a site.
#[derive(Debug, Default)]
pub struct Switchboard {
    calls: LiveCalls,
    lines: Endpoints,
}

impl Switchboard {
    /// Replaces the live calls with those as of an entry.
    pub fn begin(&self, calls: Vec<Call>, as_of: u64) {
        self.calls.begin(calls, as_of);
        self.close_mailboxes();
    }

    /// Applies a call from the log.
    pub fn follow(&self, call: Call) {
        // If the other endpoint disconnected before the call was answered, notify the one who answered now.
        let ends = if matches!(call.state, CallState::Ongoing { .. }) { both_ends(&call) } else { None };
        let (id, is_news) = (call.id, self.calls.follow(call));
        if let Some((one, other)) = ends.filter(|_| is_news) {
            for (here, there) in [(one, other), (other, one)] {
                if !self.lines.is_open(there) {
                    self.tell_peer(here, id, there.1, false);
                }
            }
        }
        self.close_mailboxes();
    }

    /// Records that the log is applied up to an entry.
    pub fn reached(&self, seq: u64) {
        self.calls.reached(seq);
    }

    /// Waits until the log is applied up to an entry, so that a client isn't judged by an older state than it has seen.
    pub async fn until(&self, seq: u64) {
        self.calls.until(seq).await;
    }

    /// Returns the calls that ring or are ongoing.
    pub fn live(&self) -> Vec<Call> {
        self.calls.all()
    }

    /// Registers an endpoint's connection until the returned guard is dropped.
    pub fn plug_in(&self, end: EndpointKey) -> EndpointGuard<'_> {
        let plug = self.lines.plug_in(self, end);
        for (call, other) in self.ongoing_of(end) {
            self.tell_peer(other, call, end.1, true);
            self.tell_peer(end, call, other.1, self.lines.is_open(other));
        }
        plug
    }

    /// Notifies the other sides of an endpoint's ongoing calls that its connection was lost.
    fn unplugged(&self, end: EndpointKey) {
        for (call, other) in self.ongoing_of(end) {
            self.tell_peer(other, call, end.1, false);
        }
    }

    /// Opens a mailbox for an endpoint of a live call, if it has none yet.
    ///
    /// # Errors
    /// Returns `call_over`, `not_your_call`, or `too_many` if the site has no room for another mailbox.
    pub fn open_mailbox(&self, call_id: CallId, end: EndpointKey) -> Result<(), Refusal> {
        self.calls
            .with(call_id, |call| if is_end(call, end) { Ok(()) } else { Err(not_yours()) })
            .ok_or_else(over)??;
        if self.lines.open_mailbox(end)? {
            for (call, other) in self.ongoing_of(end) {
                self.tell_peer(other, call, end.1, true);
            }
        }
        Ok(())
    }

    /// Takes the frames out of an endpoint's mailbox, oldest first.
    pub fn collect(&self, end: EndpointKey) -> Vec<FromServer> {
        self.lines.collect(end)
    }

    /// Takes a token from the rate limiter of an endpoint without a connection.
    pub fn may_post(&self, end: EndpointKey) -> bool {
        self.lines.may_post(end)
    }

    /// Returns whether an endpoint has a mailbox.
    pub fn has_mailbox(&self, end: EndpointKey) -> bool {
        self.lines.has_mailbox(end)
    }

    /// Returns whether an endpoint has an open connection.
    pub fn is_plugged_in(&self, end: EndpointKey) -> bool {
        self.lines.is_plugged_in(end)
    }

    /// Forwards a signal to the other endpoint of a live call.
    ///
    /// # Errors
    /// Returns `call_over`, `not_your_call`, or `not_there` if nobody has answered yet, or the other endpoint is a
    /// different one or isn't connected.
    pub fn signal(&self, from: EndpointKey, call_id: CallId, to: EndpointId, signal: Signal) -> Result<(), Refusal> {
        let other = self.calls.with(call_id, |call| other_end(call, from)).ok_or_else(over)??;
        let frame = FromServer::Signal { call_id, from: from.1, signal };
        match other.filter(|other| other.1 == to) {
            Some(other) if self.lines.send(other, frame) => Ok(()),
            Some(_) | None => Err(Refusal::new(Code::NotThere, "The other side isn't connected at the moment.")),
        }
    }

    /// Forwards a voice packet unchanged to the other endpoint of an ongoing call. A packet that can't be forwarded is
    /// dropped.
    ///
    /// # Errors
    /// Returns the reason as a metrics label.
    pub fn voice(&self, from: EndpointKey, message: Bytes) -> Result<(), &'static str> {
        let call_id = AudioFrame::read(&message).ok_or("malformed")?.call_id;
        let other = self.calls.with(call_id, |call| other_end(call, from)).ok_or("call_over")?;
        let other = other.map_err(|_| "not_your_call")?.ok_or("not_there")?;
        self.lines.send_voice(other, message)
    }

    fn ongoing_of(&self, end: EndpointKey) -> Vec<(CallId, EndpointKey)> {
        let mut ongoing = self.calls.all();
        ongoing.retain(|call| matches!(call.state, CallState::Ongoing { .. }));
        ongoing.iter().filter_map(|call| Some((call.id, other_end(call, end).ok()??))).collect()
    }

    fn tell_peer(&self, whom: EndpointKey, call_id: CallId, endpoint: EndpointId, there: bool) {
        // An endpoint that isn't connected is notified when it reconnects.
        let _ = self.lines.send(whom, FromServer::Peer { call_id, endpoint, there });
    }

    fn close_mailboxes(&self) {
        let live = self.calls.all();
        self.lines.close_mailboxes(|end| live.iter().any(|call| is_end(call, end)));
    }
}

/// Returns the endpoints of an ongoing call, if both have a voice.
fn both_ends(call: &Call) -> Option<(EndpointKey, EndpointKey)> {
    Some(((call.caller.id, call.caller_endpoint?), (call.callee.id, call.callee_endpoint()?)))
}

/// Returns whether an endpoint belongs to a call. While it rings, any run of the callee's app may become the endpoint.
fn is_end(call: &Call, end: EndpointKey) -> bool {
    let callee = match &call.state {
        CallState::Ringing => Some(end.1),
        CallState::Ongoing { callee_endpoint, .. } => *callee_endpoint,
        CallState::Ended { .. } => None,
    };
    (call.caller.id, call.caller_endpoint) == (end.0, Some(end.1)) || (call.callee.id, callee) == (end.0, Some(end.1))
}

/// Returns the other endpoint of a call; `None` while nobody has answered, or if one side has no voice.
fn other_end(call: &Call, end: EndpointKey) -> Result<Option<EndpointKey>, Refusal> {
    if !is_end(call, end) {
        return Err(not_yours());
    }
    let Some((caller, callee)) = both_ends(call) else { return Ok(None) };
    Ok(Some(if caller == end { callee } else { caller }))
}

fn over() -> Refusal {
    Refusal::new(Code::CallOver, "There is no such call, or it is over.")
}

fn not_yours() -> Refusal {
    Refusal::new(Code::NotYourCall, "It is not your call, or another of your devices has it.")
}

#[cfg(test)]
mod tests {
    use axum::extract::ws::Message;
    use crewbell_shared::testing::{at, id, ringing_call, sam, siri, tom};

    use super::*;

    fn ongoing() -> Call {
        let state = CallState::Ongoing { answered_at: at(5), callee_endpoint: Some(id(91)) };
        Call { state, ..ringing_call(at(0)) }
    }

    fn sams() -> EndpointKey {
        (sam().id, id(90))
    }

    fn siris() -> EndpointKey {
        (siri().id, id(91))
    }

    #[test]
    fn the_other_end_is_named_by_person_and_endpoint() {
        let of = |call: &Call, end| other_end(call, end).map_err(|refusal| refusal.code);
        assert_eq!(of(&ongoing(), sams()), Ok(Some(siris())));
        assert_eq!(of(&ongoing(), siris()), Ok(Some(sams())));
        for stranger in [(tom().id, id(90)), (sam().id, id(91)), (siri().id, id(90)), (siri().id, id(92))] {
            assert_eq!(of(&ongoing(), stranger), Err(Code::NotYourCall));
        }
        assert_eq!(of(&ringing_call(at(0)), sams()), Ok(None), "nobody has answered");
        let deaf = Call { caller_endpoint: None, ..ongoing() };
        assert_eq!(of(&deaf, siris()), Ok(None), "who called has no voice");
    }

    #[tokio::test]
    async fn a_mailbox_holds_so_much_and_ends_with_its_call() {
        let switchboard = Switchboard::default();
        switchboard.follow(ongoing());
        let call = ongoing().id;
        assert_eq!(switchboard.open_mailbox(call, (tom().id, id(91))).unwrap_err().code, Code::NotYourCall);
        switchboard.open_mailbox(call, siris()).unwrap();
        let send = || switchboard.signal(sams(), call, siris().1, Signal::Ready).map_err(|refusal| refusal.code);
        let sent = (0..200).filter(|_| send() == Ok(())).count();
        assert_eq!((sent, send()), (128, Err(Code::NotThere)));
        assert_eq!(switchboard.collect(siris()).len(), 128);
        assert_eq!((switchboard.collect(siris()).len(), send()), (0, Ok(())));
        let ended = crewbell_shared::call::decide(
            ongoing(),
            crewbell_shared::call::Command::Drop,
            &crewbell_shared::person::Actor::System,
            at(9),
        );
        switchboard.follow(ended.unwrap().0);
        assert_eq!((send(), switchboard.has_mailbox(siris())), (Err(Code::CallOver), false));
    }

    #[test]
    fn a_mailbox_for_which_there_is_no_room_is_refused_and_the_others_stay_open() {
        let switchboard = Switchboard::default();
        // While it rings, any run of Siri's app may be the endpoint.
        switchboard.follow(ringing_call(at(0)));
        let open = |number: u128| switchboard.open_mailbox(ringing_call(at(0)).id, (siri().id, id(1_000 + number)));
        let most = endpoints::MAILBOXES;
        let opened = (0..).take(most).filter(|number| open(*number).is_ok()).count();
        assert_eq!(opened, most);
        let refused = open(u128::MAX - 1_000).unwrap_err();
        assert_eq!((refused.code, &refused.details["limit"]), (Code::TooMany, &most.into()));
        assert_eq!(open(0), Ok(()), "who has one may go on");
    }

    #[tokio::test]
    async fn a_socket_takes_the_place_of_an_older_one() {
        let switchboard = Switchboard::default();
        let old = switchboard.plug_in(siris());
        let mut new = switchboard.plug_in(siris());
        drop(old);
        assert!(switchboard.is_plugged_in(siris()));
        switchboard.follow(ongoing());
        // Sam isn't connected, so Siri is notified that the other end is missing.
        let axum::extract::ws::Message::Text(told) = new.next().await else { panic!("it is text") };
        assert!(told.contains(r#""t":"peer""#) && told.contains(r#""there":false"#), "{told}");
        drop(new);
        assert!(!switchboard.is_plugged_in(siris()));
    }

    #[tokio::test]
    async fn an_old_socket_that_is_noticed_late_to_be_gone_takes_no_new_one_with_it() {
        let switchboard = Switchboard::default();
        switchboard.follow(ongoing());
        let mut sam = switchboard.plug_in(sams());
        // Half open: Siri's tablet changed networks twice, and the connection in between was closed cleanly.
        let old = switchboard.plug_in(siris());
        let between = switchboard.plug_in(siris());
        drop(between);
        let new = switchboard.plug_in(siris());
        drop(old);
        assert!(switchboard.is_plugged_in(siris()), "the call goes on");
        assert_eq!(switchboard.signal(sams(), ongoing().id, siris().1, Signal::Ready), Ok(()));
        let mut told = Vec::new();
        while let Ok(Message::Text(text)) = tokio::time::timeout(std::time::Duration::ZERO, sam.next()).await {
            told.push(text.contains(r#""there":true"#));
        }
        assert_eq!(told.last(), Some(&true), "and the other side isn't told that it is over: {told:?}");
        // Other connections and mailboxes don't affect this.
        drop(new);
        switchboard.open_mailbox(ongoing().id, siris()).unwrap();
        let (older, newest) = (switchboard.plug_in(siris()), switchboard.plug_in(siris()));
        drop(older);
        assert!(switchboard.is_plugged_in(siris()));
        drop(newest);
        assert!(!switchboard.is_plugged_in(siris()) && switchboard.has_mailbox(siris()));
    }
}
