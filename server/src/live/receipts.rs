//! Alert receipts: which devices sounded the alert of a request, and how late. They are kept in memory only, while the
//! request is active.
//!
//! Requests come from the follower of the log, receipts from the connections. A receipt that arrives before its request
//! is kept until the request arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crewbell_shared::ids::{RequestId, SessionId};
use crewbell_shared::protocol::live::Reach;
use crewbell_shared::request::Request;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Time after a request's last press that its receipts are kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Maximum number of requests whose receipts are kept; the oldest go first.
const MOST: usize = 4096;

/// Maximum number of those that the log hasn't reported yet: a device may name any id, and the log reports a real one
/// at once.
const MOST_UNKNOWN: usize = 256;

/// The alert receipts of a site.
#[derive(Debug, Default)]
pub struct Receipts {
    tallies: Mutex<BTreeMap<RequestId, Tally>>,
    /// Counter of the receipts, which wakes the live updates.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Tally {
    /// Whether the log has reported the request, and it isn't closed.
    known: bool,
    /// Time of the request or its last press; of the first receipt while the request is unknown.
    since: Timestamp,
    /// The sessions that sounded the alert, with their lateness.
    sounded: BTreeMap<SessionId, SignedDuration>,
}

impl Receipts {
    /// Applies a request from the log: its time, or that it is closed.
    pub fn follow(&self, request: &Request, now: Timestamp) {
        let mut tallies = self.lock();
        let since = request.last_press_at.map_or(request.created_at, |pressed| pressed.max(request.created_at));
        if request.state.is_closed() || is_over(since, now) {
            tallies.remove(&request.id);
            return;
        }
        let is_new = !tallies.contains_key(&request.id);
        let tally = tallies.entry(request.id).or_insert_with(|| Tally::new(since));
        if !tally.known && !tally.sounded.is_empty() {
            // The receipts arrived first, and can be reported from here on.
            self.changed();
        }
        (tally.known, tally.since) = (true, since);
        if is_new {
            bound(&mut tallies, now);
        }
    }

    /// Records that a device sounded a request's alert. Returns its lateness by the server's clock, if the request is
    /// known.
    pub fn sounded(&self, request: RequestId, session: SessionId, now: Timestamp) -> Option<SignedDuration> {
        let mut tallies = self.lock();
        let is_named_first = !tallies.contains_key(&request);
        let tally = tallies.entry(request).or_insert_with(|| Tally::new(now));
        let late = now.duration_since(tally.since).max(SignedDuration::ZERO);
        let is_new = tally.sounded.insert(session, late).is_none();
        let known = tally.known;
        if is_new && known {
            self.changed();
        }
        if is_named_first {
            bound(&mut tallies, now);
        }
        known.then_some(late)
    }

    /// Returns how many connected devices a request reached; `None` if it is closed or its last press is too long ago.
    pub fn of(&self, request: RequestId, there: &BTreeSet<SessionId>, now: Timestamp) -> Option<Reach> {
        self.lock().get(&request).filter(|tally| tally.counts(now)).map(|tally| tally.reach(there))
    }

    /// Returns the result of [`of`](Self::of) for every request that some device sounded.
    pub(super) fn all(&self, there: &BTreeSet<SessionId>, now: Timestamp) -> BTreeMap<RequestId, Reach> {
        let tallies = self.lock();
        let sounded = tallies.iter().filter(|(_, tally)| tally.counts(now) && !tally.sounded.is_empty());
        sounded.map(|(id, tally)| (*id, tally.reach(there))).collect()
    }

    /// Returns a watch on the number of receipts.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<RequestId, Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn new(since: Timestamp) -> Self {
        Self { known: false, since, sounded: BTreeMap::new() }
    }

    fn counts(&self, now: Timestamp) -> bool {
        self.known && !is_over(self.since, now)
    }

    /// Counts the connected devices, and those that sounded the alert and disconnected.
    fn reach(&self, there: &BTreeSet<SessionId>) -> Reach {
        let gone = self.sounded.keys().filter(|session| !there.contains(session)).count();
        let count = |devices: usize| u32::try_from(devices).unwrap_or(u32::MAX);
        Reach { devices: count(there.len() + gone), sounded: count(self.sounded.len()) }
    }
}

fn is_over(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) >= KEPT_FOR
}

/// Bounds the memory. Expired tallies are removed only when it is full, since they don't count anyway.
fn bound(tallies: &mut BTreeMap<RequestId, Tally>, now: Timestamp) {
    if tallies.len() <= MOST_UNKNOWN {
        return;
    }
    if tallies.len() > MOST {
        tallies.retain(|_, tally| !is_over(tally.since, now));
    }
    let unknown = tallies.iter().filter(|(_, tally)| !tally.known);
    let mut unknown: Vec<_> = unknown.map(|(id, tally)| (tally.since, *id)).collect();
    if unknown.len() > MOST_UNKNOWN {
        // Oldest by time and not by id, because devices make up these ids.
        unknown.sort_unstable();
        for (_, id) in &unknown[..unknown.len() - MOST_UNKNOWN] {
            tallies.remove(id);
        }
    }
    while tallies.len() > MOST {
        // Known requests have ids made by the server, which are ordered by time.
        let first = tallies.iter().find(|(_, tally)| tally.known).map(|(id, _)| *id);
        let Some(first) = first.or_else(|| tallies.keys().next().copied()) else { return };
        tallies.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::person::PersonRef;
    use crewbell_shared::request::RequestState;
    use crewbell_shared::testing::{at, open_request, siri};
    use uuid::Uuid;

    use super::*;

    fn session(number: u128) -> SessionId {
        Uuid::from_u128(number).into()
    }

    fn reach(devices: u32, sounded: u32) -> Reach {
        Reach { devices, sounded }
    }

    #[test]
    fn each_device_counts_once_and_those_that_went_still_count() {
        let (receipts, request) = (Receipts::default(), open_request(at(0)));
        let there = BTreeSet::from([session(1), session(2)]);
        receipts.follow(&request, at(0));
        assert_eq!(receipts.of(request.id, &there, at(0)), Some(reach(2, 0)));
        assert!(receipts.all(&there, at(0)).is_empty(), "nothing to tell of yet");
        assert_eq!(receipts.sounded(request.id, session(1), at(2)), Some(SignedDuration::from_secs(2)));
        receipts.sounded(request.id, session(1), at(3));
        assert_eq!(receipts.of(request.id, &there, at(3)), Some(reach(2, 1)));
        receipts.sounded(request.id, session(3), at(3));
        assert_eq!(receipts.of(request.id, &there, at(3)), Some(reach(3, 2)));
        assert_eq!(*receipts.changes().borrow(), 2, "the repetition is no news");
    }

    #[test]
    fn lateness_is_counted_from_the_last_press_and_never_below_zero() {
        let (receipts, mut request) = (Receipts::default(), open_request(at(0)));
        request.last_press_at = Some(at(60));
        receipts.follow(&request, at(60));
        assert_eq!(receipts.sounded(request.id, session(1), at(61)), Some(SignedDuration::from_secs(1)));
        assert_eq!(receipts.sounded(request.id, session(1), at(59)), Some(SignedDuration::ZERO));
    }

    #[test]
    fn a_receipt_may_come_before_its_request() {
        let (receipts, request) = (Receipts::default(), open_request(at(0)));
        let (there, mut changes) = (BTreeSet::from([session(1)]), receipts.changes());
        assert_eq!(receipts.sounded(request.id, session(1), at(0)), None);
        assert_eq!(receipts.of(request.id, &there, at(0)), None);
        assert!(!changes.has_changed().unwrap());
        receipts.follow(&request, at(0));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert_eq!(receipts.of(request.id, &there, at(0)), Some(reach(1, 1)));
    }

    #[test]
    fn a_request_is_forgotten_when_it_is_closed_or_an_hour_old() {
        let (receipts, request) = (Receipts::default(), open_request(at(0)));
        let there = BTreeSet::from([session(1)]);
        receipts.follow(&request, at(0));
        receipts.sounded(request.id, session(1), at(1));
        assert_eq!(receipts.of(request.id, &there, at(3599)), Some(reach(1, 1)));
        assert_eq!(receipts.of(request.id, &there, at(3600)), None);
        assert!(receipts.all(&there, at(3600)).is_empty());
        let by = PersonRef { id: siri().id, name: siri().name };
        let state =
            RequestState::Cancelled { acceptance: None, cancelled_by: by, cancelled_at: at(9), cancel_reason: None };
        receipts.follow(&Request { state, ..request.clone() }, at(9));
        assert_eq!(receipts.of(request.id, &there, at(9)), None);
        // A receipt after the end of its request has no effect.
        receipts.sounded(request.id, session(1), at(10));
        assert!(receipts.all(&there, at(10)).is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (receipts, request) = (Receipts::default(), open_request(at(0)));
        for number in 0..2 * MOST as u128 {
            let id = Uuid::from_u128(number + 1000).into();
            receipts.follow(&Request { id, ..request.clone() }, at(0));
        }
        assert_eq!(receipts.lock().len(), MOST);
        assert!(receipts.lock().keys().all(|id| id.0.as_u128() >= MOST as u128), "the oldest went");
    }

    #[test]
    fn made_up_ids_push_out_each_other_and_no_real_request() {
        let (receipts, request) = (Receipts::default(), open_request(at(0)));
        let there = BTreeSet::from([session(1)]);
        receipts.follow(&request, at(0));
        receipts.sounded(request.id, session(1), at(1));
        // Ids before and after the real one.
        for number in 0..2 * MOST as u128 {
            for id in [number % 50, 1000 + number, u128::MAX - number] {
                receipts.sounded(Uuid::from_u128(id).into(), session(2), at(2));
            }
        }
        assert_eq!(receipts.of(request.id, &there, at(3)), Some(reach(1, 1)));
        assert!(receipts.lock().len() <= MOST_UNKNOWN + 1);
        // A request that the log reports just after its receipt is among the newest.
        let late = Request { id: Uuid::from_u128(77).into(), ..request };
        receipts.sounded(late.id, session(1), at(4));
        receipts.follow(&late, at(4));
        assert_eq!(receipts.of(late.id, &there, at(4)), Some(reach(1, 1)));
    }
}
