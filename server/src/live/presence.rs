//! Who is there, by their open sockets, and on how many of their devices an alert can be heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use axum::extract::ws::Utf8Bytes;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::protocol::live::{FromServer, Presence as There, Status};
use tokio::sync::watch;

/// Who is there. A person with several devices is one person.
#[derive(Debug, Default)]
pub struct Presence {
    people: Mutex<BTreeMap<PersonId, BTreeMap<u64, Device>>>,
    /// Counts the changes, and wakes whoever tells of them; also gives each socket its number.
    changes: watch::Sender<u64>,
    /// The frame that tells who is there, as of a change: written once for all sockets.
    frame: Mutex<Option<(u64, Utf8Bytes)>>,
}

/// An open socket.
#[derive(Clone, Copy, Debug)]
struct Device {
    session: SessionId,
    /// Whether it said that it can make a sound.
    sounds: bool,
}

/// A socket of somebody; they are there until it is dropped.
#[derive(Debug)]
pub struct Here<'a> {
    presence: &'a Presence,
    person: PersonId,
    number: u64,
}

impl Presence {
    /// Somebody's socket opened. It is taken for silent until it says that it can sound.
    pub fn arrive(&self, person: PersonId, session: SessionId) -> Here<'_> {
        let mut people = self.lock();
        let number = self.changed();
        people.entry(person).or_default().insert(number, Device { session, sounds: false });
        metrics::gauge!("devices_silent").increment(1.0);
        Here { presence: self, person, number }
    }

    /// Whether somebody is there.
    pub fn is_online(&self, person: PersonId) -> bool {
        self.lock().contains_key(&person)
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.lock().values().map(BTreeMap::len).sum()
    }

    /// Everybody who is there, by id.
    pub fn people(&self) -> Vec<There> {
        let count = |devices: usize| u32::try_from(devices).unwrap_or(u32::MAX);
        let there = |(person, devices): (&PersonId, &BTreeMap<u64, Device>)| There {
            person_id: *person,
            devices: count(devices.len()),
            sounding: count(devices.values().filter(|device| device.sounds).count()),
            status: Status::Online,
        };
        self.lock().iter().map(there).collect()
    }

    /// The sessions that have a socket.
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        self.lock().values().flat_map(BTreeMap::values).map(|device| device.session).collect()
    }

    /// Tells when it changed: the number of changes so far.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The frame that tells who is there, as of a change or a later one.
    pub(super) fn frame(&self, change: u64) -> serde_json::Result<Utf8Bytes> {
        let mut kept = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frame)) = kept.as_ref().filter(|(as_of, _)| *as_of >= change) {
            return Ok(frame.clone());
        }
        // Read before the people: what changes between is told with the next frame too, and never missed.
        let as_of = *self.changes.borrow();
        let frame = Utf8Bytes::from(serde_json::to_string(&FromServer::Present { people: self.people() })?);
        *kept = Some((as_of, frame.clone()));
        Ok(frame)
    }

    /// Counts a change. Called with the people locked, so that the number and the state go together.
    fn changed(&self) -> u64 {
        self.changes.send_modify(|changes| *changes += 1);
        *self.changes.borrow()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PersonId, BTreeMap<u64, Device>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Here<'_> {
    /// The device said whether it can make a sound.
    pub fn sounds(&self, able: bool) {
        let mut people = self.presence.lock();
        let device = people.get_mut(&self.person).and_then(|devices| devices.get_mut(&self.number));
        if let Some(device) = device.filter(|device| device.sounds != able) {
            device.sounds = able;
            metrics::gauge!("devices_silent").increment(if able { -1.0 } else { 1.0 });
            self.presence.changed();
        }
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        let mut people = self.presence.lock();
        let Some(devices) = people.get_mut(&self.person) else { return };
        if devices.remove(&self.number).is_some_and(|device| !device.sounds) {
            metrics::gauge!("devices_silent").decrement(1.0);
        }
        if devices.is_empty() {
            people.remove(&self.person);
        }
        self.presence.changed();
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
}
