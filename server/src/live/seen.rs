//! Last-seen times of people, with change tracking.

use std::collections::BTreeMap;

use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::LastSeen;
use jiff::Timestamp;

/// Last-seen times by person, each with the number of the change that it is sent with.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<PersonId, (Timestamp, u64)>);

impl Seen {
    /// Records that a person was online until a time, to be sent with a change.
    pub(super) fn went(&mut self, person: PersonId, at: Timestamp, change: u64) {
        // An expired heartbeat may be older than a closed connection; the later time counts.
        let at = self.at(person).map_or(at, |before| before.max(at));
        self.0.insert(person, (at, change));
    }

    /// Returns whether a stored time is later than the known one.
    pub(super) fn is_news(&self, person: PersonId, at: Timestamp) -> bool {
        self.at(person).is_none_or(|before| before < at)
    }

    /// Returns a person's last-seen time, if they went offline.
    pub(super) fn at(&self, person: PersonId) -> Option<Timestamp> {
        self.0.get(&person).map(|(at, _)| *at)
    }

    /// Returns the times that changed after a change; all of them for `None`.
    pub(super) fn since(&self, change: Option<u64>) -> impl Iterator<Item = LastSeen> {
        let is_news = move |told: u64| change.is_none_or(|change| told > change);
        self.0
            .iter()
            .filter(move |(_, (_, told))| is_news(*told))
            .map(|(id, (at, _))| LastSeen { person_id: *id, at: *at })
    }
}
