//! When people were last there, with what is news of it.

use std::collections::BTreeMap;

use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::LastSeen;
use jiff::Timestamp;

/// When people were last there, with the number of the change that they are told with.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<PersonId, (Timestamp, u64)>);

impl Seen {
    /// Somebody went, who was there until then; to be told with this change.
    pub(super) fn went(&mut self, person: PersonId, at: Timestamp, change: u64) {
        // A heartbeat that runs out may be older than a socket that closed: told is the later, now.
        let at = self.at(person).map_or(at, |before| before.max(at));
        self.0.insert(person, (at, change));
    }

    /// Whether something that was kept is later than what is known.
    pub(super) fn is_news(&self, person: PersonId, at: Timestamp) -> bool {
        self.at(person).is_none_or(|before| before < at)
    }

    /// When somebody was last there, if they went.
    pub(super) fn at(&self, person: PersonId) -> Option<Timestamp> {
        self.0.get(&person).map(|(at, _)| *at)
    }

    /// What is to be told to whoever was told as of a change; everything to whoever was told nothing.
    pub(super) fn since(&self, change: Option<u64>) -> impl Iterator<Item = LastSeen> {
        let is_news = move |told: u64| change.is_none_or(|change| told > change);
        self.0
            .iter()
            .filter(move |(_, (_, told))| is_news(*told))
            .map(|(id, (at, _))| LastSeen { person_id: *id, at: *at })
    }
}
