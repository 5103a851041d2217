//! Presence of people, by their open connections and by heartbeats over REST, and the number of their devices that can
//! sound an alert.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::protocol::live::{FromServer, LastSeen, Presence as There, Status};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::seen::Seen;
use crate::clock::Clock;

/// Time that a heartbeat over REST counts: three heartbeat intervals.
const HEARD_FOR: SignedDuration = SignedDuration::from_secs(30);

/// The presence of a site's people. A person with several devices counts once.
#[derive(Debug, Default)]
pub struct Presence {
    people: Mutex<People>,
    /// Counter of the changes, which wakes the live updates. It also numbers the connections.
    changes: watch::Sender<u64>,
    /// Cached `present` frame with the change that it includes: serialised once for all connections.
    frame: Mutex<Option<(u64, Utf8Bytes)>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct People {
    /// Open connections by person.
    sockets: BTreeMap<PersonId, BTreeMap<u64, Device>>,
    /// Time of the last heartbeat over REST by person.
    heard: BTreeMap<PersonId, Timestamp>,
    /// Last-seen times of people who are offline, also from before this server started.
    seen: Seen,
    /// People who are busy, from the log.
    busy: BTreeSet<PersonId>,
    /// People in a call or calling, from the log.
    in_call: BTreeSet<PersonId>,
}

/// An open connection.
#[derive(Clone, Copy, Debug)]
struct Device {
    session: SessionId,
    /// Time of the last message that the device sent of its own accord.
    heard_at: Instant,
    /// Whether the device reported that it can sound alerts.
    sounds: bool,
}

/// A person's last-seen time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The person and the time: the current time for a person with an open connection.
    pub seen: LastSeen,
    /// Whether the person is online.
    pub there: bool,
}

/// Guard of an open connection. Dropping it removes the connection from the presence.
#[derive(Debug)]
pub struct PresenceGuard<'a> {
    presence: &'a Presence,
    person: PersonId,
    number: u64,
}

impl People {
    fn is_there(&self, person: PersonId, now: Timestamp) -> bool {
        self.sockets.contains_key(&person) || self.heard.get(&person).is_some_and(|at| is_fresh(*at, now))
    }

    fn last_seen(&self, person: PersonId, now: Timestamp) -> Option<Timestamp> {
        if self.sockets.contains_key(&person) {
            return Some(now);
        }
        self.heard.get(&person).copied().max(self.seen.at(person))
    }

    fn status(&self, person: PersonId, now: Timestamp) -> Status {
        if !self.is_there(person, now) {
            Status::Offline
        } else if self.in_call.contains(&person) {
            Status::InCall
        } else if self.busy.contains(&person) {
            Status::Busy
        } else {
            Status::Online
        }
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < HEARD_FOR
}

impl Presence {
    /// Creates an empty presence.
    pub fn new(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// Registers a connection. It counts as silent until the device reports that it can sound alerts.
    pub fn arrive(&self, person: PersonId, session: SessionId) -> PresenceGuard<'_> {
        let mut people = self.lock();
        let number = self.changed();
        people
            .sockets
            .entry(person)
            .or_default()
            .insert(number, Device { session, heard_at: Instant::now(), sounds: false });
        metrics::gauge!("devices_silent").increment(1.0);
        PresenceGuard { presence: self, person, number }
    }

    /// Records a frame that a device on an event stream sent by request, and whether it can sound alerts if the frame
    /// says so. Returns false if no stream of that session is open.
    pub fn said(&self, person: PersonId, session: SessionId, sounds: Option<bool>) -> bool {
        let mut people = self.lock();
        let devices = people.sockets.get_mut(&person).into_iter().flat_map(BTreeMap::values_mut);
        let mut is_there = false;
        let mut is_news = false;
        for device in devices.filter(|device| device.session == session) {
            is_there = true;
            device.heard_at = Instant::now();
            is_news |= device.sound(sounds.unwrap_or(device.sounds));
        }
        if is_news {
            self.changed();
        }
        is_there
    }

    /// Records a heartbeat over REST, which counts for 30 s.
    pub fn heartbeat(&self, person: PersonId) {
        let now = self.clock.now();
        let mut people = self.lock();
        let was_there = people.is_there(person, now);
        people.heard.insert(person, now);
        if !was_there {
            self.changed();
        }
    }

    /// Removes expired heartbeats.
    pub fn sweep(&self) {
        let now = self.clock.now();
        let mut people = self.lock();
        let stale: Vec<_> =
            people.heard.iter().filter(|(_, at)| !is_fresh(**at, now)).map(|(id, at)| (*id, *at)).collect();
        if stale.is_empty() {
            return;
        }
        let change = self.changed();
        for (person, at) in stale {
            people.heard.remove(&person);
            if !people.sockets.contains_key(&person) {
                people.seen.went(person, at, change);
            }
        }
    }

    /// Records whether a person is busy.
    pub fn set_busy(&self, person: PersonId, busy: bool) {
        let mut people = self.lock();
        let is_news = if busy { people.busy.insert(person) } else { people.busy.remove(&person) };
        if is_news {
            self.changed();
        }
    }

    /// Replaces the set of people who are in a call or calling.
    pub fn set_in_call(&self, in_call: BTreeSet<PersonId>) {
        let mut people = self.lock();
        if people.in_call != in_call {
            people.in_call = in_call;
            self.changed();
        }
    }

    /// Returns whether a person is online, so that a call would ring.
    pub fn is_online(&self, person: PersonId) -> bool {
        self.lock().is_there(person, self.clock.now())
    }

    /// Returns a person's status.
    pub fn status(&self, person: PersonId) -> Status {
        self.lock().status(person, self.clock.now())
    }

    /// Returns a person's last-seen time: the current time if a connection is open, `None` if the person never was
    /// online.
    pub fn last_seen(&self, person: PersonId) -> Option<Timestamp> {
        self.lock().last_seen(person, self.clock.now())
    }

    /// Loads stored last-seen times.
    pub fn remember(&self, kept: impl IntoIterator<Item = LastSeen>) {
        let mut people = self.lock();
        let news: Vec<_> = kept.into_iter().filter(|kept| people.seen.is_news(kept.person_id, kept.at)).collect();
        if news.is_empty() {
            return;
        }
        let change = self.changed();
        for LastSeen { person_id, at } in news {
            people.seen.went(person_id, at, change);
        }
    }

    /// Returns the last-seen time of each person for whom it is known, by id.
    pub fn sightings(&self) -> Vec<Sighting> {
        let (people, now) = (self.lock(), self.clock.now());
        let gone: Vec<_> = people.seen.since(None).map(|seen| seen.person_id).collect();
        let known: BTreeSet<_> = people.sockets.keys().chain(people.heard.keys()).chain(&gone).copied().collect();
        let sighting = |person_id| {
            let at = people.last_seen(person_id, now)?;
            Some(Sighting { seen: LastSeen { person_id, at }, there: people.is_there(person_id, now) })
        };
        known.into_iter().filter_map(sighting).collect()
    }

    /// Returns the last-seen times of offline people that changed after a change; all of them for `None`.
    pub(super) fn seen_since(&self, change: Option<u64>) -> Vec<LastSeen> {
        let (people, now) = (self.lock(), self.clock.now());
        people.seen.since(change).filter(|seen| !people.is_there(seen.person_id, now)).collect()
    }

    /// Returns the number of open connections.
    pub fn sockets(&self) -> usize {
        self.lock().sockets.values().map(BTreeMap::len).sum()
    }

    /// Returns everybody who is online, by id.
    pub fn people(&self) -> Vec<There> {
        let (people, now) = (self.lock(), self.clock.now());
        let count = |devices: usize| u32::try_from(devices).unwrap_or(u32::MAX);
        let none = BTreeMap::new();
        let there = |person: &PersonId| {
            let devices = people.sockets.get(person).unwrap_or(&none);
            There {
                person_id: *person,
                devices: count(devices.len()),
                sounding: count(devices.values().filter(|device| device.sounds).count()),
                status: people.status(*person, now),
            }
        };
        let everybody: BTreeSet<_> = people.sockets.keys().chain(people.heard.keys()).collect();
        everybody.into_iter().filter(|person| people.is_there(**person, now)).map(there).collect()
    }

    /// Returns the sessions with an open connection.
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        self.lock().sockets.values().flat_map(BTreeMap::values).map(|device| device.session).collect()
    }

    /// Returns a watch on the number of changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns the `present` frame as of a change or a later one.
    pub(super) fn frame(&self, change: u64) -> serde_json::Result<Utf8Bytes> {
        let mut kept = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frame)) = kept.as_ref().filter(|(as_of, _)| *as_of >= change) {
            return Ok(frame.clone());
        }
        // Read before the people: a change in between is sent again with the next frame, and never missed.
        let as_of = *self.changes.borrow();
        let frame = Utf8Bytes::from(serde_json::to_string(&FromServer::Present { people: self.people() })?);
        *kept = Some((as_of, frame.clone()));
        Ok(frame)
    }

    /// Counts a change. Called with the people locked, so that the number matches the state.
    fn changed(&self) -> u64 {
        self.changes.send_modify(|changes| *changes += 1);
        *self.changes.borrow()
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device {
    /// Records whether the device can sound alerts. Returns whether that changed.
    fn sound(&mut self, able: bool) -> bool {
        let is_news = self.sounds != able;
        if is_news {
            self.sounds = able;
            metrics::gauge!("devices_silent").increment(if able { -1.0 } else { 1.0 });
        }
        is_news
    }
}

impl PresenceGuard<'_> {
    /// Returns the time since the device's last message.
    pub(super) fn silent_for(&self) -> Duration {
        let people = self.presence.lock();
        let device = people.sockets.get(&self.person).and_then(|devices| devices.get(&self.number));
        device.map_or(Duration::MAX, |device| device.heard_at.elapsed())
    }

    /// Records whether the device can sound alerts.
    pub fn sounds(&self, able: bool) {
        let mut people = self.presence.lock();
        let device = people.sockets.get_mut(&self.person).and_then(|devices| devices.get_mut(&self.number));
        if device.is_some_and(|device| device.sound(able)) {
            self.presence.changed();
        }
    }
}

impl Drop for PresenceGuard<'_> {
    fn drop(&mut self) {
        let mut people = self.presence.lock();
        let Some(devices) = people.sockets.get_mut(&self.person) else { return };
        if devices.remove(&self.number).is_some_and(|device| !device.sounds) {
            metrics::gauge!("devices_silent").decrement(1.0);
        }
        let change = self.presence.changed();
        if devices.is_empty() {
            people.sockets.remove(&self.person);
            people.seen.went(self.person, self.presence.clock.now(), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sam() -> PersonId {
        Uuid::from_u128(2).into()
    }

    fn session(number: u128) -> SessionId {
        Uuid::from_u128(number).into()
    }

    fn counts(presence: &Presence) -> Vec<(u32, u32)> {
        presence.people().iter().map(|there| (there.devices, there.sounding)).collect()
    }

    #[test]
    fn a_person_with_two_devices_is_there_until_both_are_gone() {
        let presence = Presence::default();
        let tablet = presence.arrive(sam(), session(1));
        let phone = presence.arrive(sam(), session(2));
        drop(tablet);
        assert!(presence.is_online(sam()));
        drop(phone);
        assert!(!presence.is_online(sam()));
        assert!(presence.people().is_empty());
    }

    #[test]
    fn a_device_is_silent_until_it_says_otherwise_and_each_speaks_for_itself() {
        let presence = Presence::default();
        let tablet = presence.arrive(sam(), session(1));
        let phone = presence.arrive(sam(), session(1));
        assert_eq!(counts(&presence), [(2, 0)]);
        tablet.sounds(true);
        assert_eq!(counts(&presence), [(2, 1)]);
        phone.sounds(false);
        tablet.sounds(false);
        assert_eq!(counts(&presence), [(2, 0)]);
        phone.sounds(true);
        drop(tablet);
        assert_eq!((counts(&presence), presence.sockets()), (vec![(1, 1)], 1));
    }

    #[test]
    fn only_a_change_wakes_those_who_tell_and_their_frame_is_as_new_as_the_change() {
        let presence = Presence::default();
        let mut changes = presence.changes();
        let tablet = presence.arrive(sam(), session(1));
        assert!(changes.has_changed().unwrap());
        let first = *changes.borrow_and_update();
        let frame = presence.frame(first).unwrap();
        assert!(frame.contains(r#""devices":1,"sounding":0"#), "{frame}");
        tablet.sounds(false);
        assert!(!changes.has_changed().unwrap(), "nothing new was said");
        tablet.sounds(true);
        assert_eq!(presence.frame(first).unwrap(), frame, "it was asked for no later one");
        assert!(presence.frame(*changes.borrow_and_update()).unwrap().contains(r#""sounding":1"#));
        drop(tablet);
        assert_eq!(presence.frame(*changes.borrow_and_update()).unwrap().as_str(), r#"{"t":"present","people":[]}"#);
    }

    #[test]
    fn who_says_so_by_a_request_is_there_for_half_a_minute() {
        let clock = Clock::default();
        let presence = Presence::new(clock.clone());
        assert_eq!((presence.status(sam()), presence.last_seen(sam())), (Status::Offline, None));
        presence.heartbeat(sam());
        assert_eq!((presence.status(sam()), counts(&presence)), (Status::Online, vec![(0, 0)]));
        clock.advance(SignedDuration::from_secs(29));
        presence.heartbeat(sam());
        clock.advance(SignedDuration::from_secs(29));
        assert!(presence.is_online(sam()));
        clock.advance(SignedDuration::from_secs(1));
        assert!(!presence.is_online(sam()) && presence.people().is_empty());
        let changes = presence.changes();
        presence.sweep();
        assert!(changes.has_changed().unwrap(), "whoever tells of it is woken");
        let ago = clock.now().duration_since(presence.last_seen(sam()).unwrap());
        assert_eq!(ago.as_secs(), 30);
    }

    #[test]
    fn who_was_told_is_told_of_those_who_went_since_and_a_newcomer_of_all() {
        let clock = Clock::default();
        let presence = Presence::new(clock.clone());
        let siri: PersonId = Uuid::from_u128(3).into();
        let kept = LastSeen { person_id: siri, at: clock.now() - SignedDuration::from_hours(20) };
        presence.remember([kept]);
        assert_eq!(presence.seen_since(None), [kept]);
        let told = *presence.changes().borrow();
        presence.remember([LastSeen { at: kept.at - SignedDuration::from_hours(1), ..kept }, kept]);
        assert_eq!(*presence.changes().borrow(), told, "nothing newer was kept");

        let tablet = presence.arrive(sam(), session(1));
        let who = |seen: Vec<LastSeen>| seen.iter().map(|seen| seen.person_id).collect::<Vec<_>>();
        assert_eq!((who(presence.seen_since(None)), who(presence.seen_since(Some(told)))), (vec![siri], vec![]));
        drop(tablet);
        assert_eq!(
            (who(presence.seen_since(None)), who(presence.seen_since(Some(told)))),
            (vec![sam(), siri], vec![sam()])
        );
        let there: Vec<_> = presence.sightings().iter().map(|one| (one.seen.person_id, one.there)).collect();
        assert_eq!(there, [(sam(), false), (siri, false)]);
    }

    #[test]
    fn a_socket_that_closes_within_a_heartbeat_is_told_when_that_has_run_out_and_with_its_own_time() {
        let clock = Clock::default();
        let presence = Presence::new(clock.clone());
        presence.heartbeat(sam());
        clock.advance(SignedDuration::from_secs(10));
        drop(presence.arrive(sam(), session(1)));
        assert!(presence.sightings()[0].there && presence.seen_since(None).is_empty(), "the heartbeat holds");
        let told = *presence.changes().borrow();
        clock.advance(SignedDuration::from_secs(25));
        presence.sweep();
        let seen = presence.seen_since(Some(told));
        assert_eq!(clock.now().duration_since(seen[0].at).as_secs(), 25);
        assert_eq!(presence.last_seen(sam()), Some(seen[0].at));
    }

    #[test]
    fn a_call_counts_more_than_being_busy_and_being_away_more_than_both() {
        let presence = Presence::default();
        presence.set_busy(sam(), true);
        presence.set_in_call(BTreeSet::from([sam()]));
        assert_eq!(presence.status(sam()), Status::Offline);
        let tablet = presence.arrive(sam(), session(1));
        assert_eq!(presence.status(sam()), Status::InCall);
        presence.set_in_call(BTreeSet::new());
        assert_eq!(presence.people()[0].status, Status::Busy);
        presence.set_busy(sam(), false);
        assert_eq!(presence.status(sam()), Status::Online);
        let before = *presence.changes().borrow();
        presence.set_busy(sam(), false);
        presence.set_in_call(BTreeSet::new());
        assert_eq!(*presence.changes().borrow(), before, "nothing new");
        drop(tablet);
        assert!(presence.last_seen(sam()).is_some());
    }
}
