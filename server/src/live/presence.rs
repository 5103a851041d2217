//! Who is there, by their open sockets.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crewbell_shared::ids::PersonId;

/// Who is there. A person with several devices is one person.
#[derive(Debug, Default)]
pub struct Presence {
    sockets: Mutex<HashMap<PersonId, usize>>,
}

/// A socket of somebody; they are there until it is dropped.
#[derive(Debug)]
pub struct Here<'a> {
    presence: &'a Presence,
    person: PersonId,
}

impl Presence {
    /// Somebody's socket opened.
    pub fn arrive(&self, person: PersonId) -> Here<'_> {
        *self.lock().entry(person).or_default() += 1;
        Here { presence: self, person }
    }

    /// Whether somebody is there.
    pub fn is_online(&self, person: PersonId) -> bool {
        self.lock().contains_key(&person)
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PersonId, usize>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        let mut sockets = self.presence.lock();
        if let Some(count) = sockets.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                sockets.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_with_two_devices_is_there_until_both_are_gone() {
        let presence = Presence::default();
        let sam = PersonId(uuid::Uuid::from_u128(2));
        let tablet = presence.arrive(sam);
        let phone = presence.arrive(sam);
        drop(tablet);
        assert!(presence.is_online(sam));
        drop(phone);
        assert!(!presence.is_online(sam));
    }
}
