//! The client-side state of a site: the snapshot, with every later entry applied.

use std::collections::BTreeMap;

use crewbell_shared::guest::Guest;
use crewbell_shared::ids::{EventId, GuestId, PlaceId, RequestId};
use crewbell_shared::place::Place;
use crewbell_shared::protocol::{Entity, Entry};
use crewbell_shared::request::{Request, RequestState};
use crewbell_shared::site::Site;

/// The state of a site as of one entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// The number of the last applied entry.
    pub(super) cursor: u64,
    /// The event id of that entry, by which the server detects that its log is still the same.
    pub(super) event_id: Option<EventId>,
    pub(super) site: Option<Site>,
    places: BTreeMap<PlaceId, Place>,
    guests: BTreeMap<GuestId, Guest>,
    requests: BTreeMap<RequestId, Request>,
}

/// The continuity of a frame of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// It continues from the cursor.
    Next,
    /// Entries before it were missed: ask again from the cursor.
    Gap,
}

impl Model {
    /// Creates an empty state at a cursor; the snapshot's entities are put in next.
    pub(super) fn at(cursor: u64, event_id: Option<EventId>) -> Self {
        Self { cursor, event_id, ..Self::default() }
    }

    /// Classifies a frame by the number of the entry that was sent before it.
    pub(super) fn judge(&self, prev: u64) -> Frame {
        if prev > self.cursor { Frame::Gap } else { Frame::Next }
    }

    /// Applies an entry; returns whether it was new.
    ///
    /// # Errors
    /// Returns an error if it carries an entity that this version can't read.
    pub(super) fn apply(&mut self, entry: &Entry) -> serde_json::Result<bool> {
        if entry.meta.seq <= self.cursor {
            return Ok(false);
        }
        if let Some(entity) = entry.entity()? {
            self.put(entity);
        }
        (self.cursor, self.event_id) = (entry.meta.seq, Some(entry.meta.event_id));
        Ok(true)
    }

    /// Inserts or replaces an entity.
    pub(super) fn put(&mut self, entity: Entity) {
        match entity {
            Entity::Site(site) => self.site = Some(site),
            Entity::Place(place) => drop(self.places.insert(place.id, place)),
            Entity::Guest(guest) => drop(self.guests.insert(guest.id, guest)),
            Entity::Request(request) if request.state.is_closed() => {
                drop(self.requests.remove(&request.id));
            }
            Entity::Request(request) => drop(self.requests.insert(request.id, request)),
            // The event lines about these take what they show from the entries themselves.
            Entity::Person(_) | Entity::Stay(_) | Entity::Button(_) | Entity::Call(_) => {}
        }
    }

    /// Returns the open and accepted requests: open ones first, then by urgency, then by age.
    pub(super) fn current(&self) -> Vec<&Request> {
        let mut current: Vec<_> = self.requests.values().collect();
        current.sort_by_key(|request| {
            (request.state != RequestState::Open, std::cmp::Reverse(request.priority), request.created_at)
        });
        current
    }

    /// Counts the open and the accepted requests.
    pub(super) fn counts(&self) -> (usize, usize) {
        let open = self.requests.values().filter(|request| request.state == RequestState::Open).count();
        (open, self.requests.len() - open)
    }

    /// Returns the name of a place.
    pub(super) fn place(&self, id: PlaceId) -> Option<&str> {
        self.places.get(&id).map(|place| place.name.as_str())
    }

    /// Whether do-not-disturb is on for a place.
    pub(super) fn do_not_disturb(&self, id: PlaceId) -> bool {
        self.places.get(&id).is_some_and(|place| place.do_not_disturb)
    }

    /// Returns the name of a guest.
    pub(super) fn guest(&self, id: GuestId) -> Option<&str> {
        self.guests.get(&id).map(|guest| guest.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::ids::PersonId;
    use crewbell_shared::person::PersonRef;
    use crewbell_shared::request::{Acceptance, Priority};

    use super::super::props::{at, entry, open_request};
    use super::*;

    #[test]
    fn an_entry_counts_once_and_only_if_it_is_newer() {
        let mut model = Model::at(6, None);
        let entry = entry(7, "request_created", open_request());
        assert!(model.apply(&entry).unwrap());
        assert!(!model.apply(&entry).unwrap());
        assert_eq!((model.cursor, model.counts()), (7, (1, 0)));
    }

    #[test]
    fn a_frame_that_was_missed_is_noticed() {
        let model = Model::at(7, None);
        assert_eq!(model.judge(7), Frame::Next);
        assert_eq!(model.judge(9), Frame::Gap);
        // Entries sent twice are no gap: applying them again changes nothing.
        assert_eq!(model.judge(3), Frame::Next);
    }

    #[test]
    fn what_rings_stands_before_what_is_urgent_and_what_is_old() {
        let number = |number| RequestId(uuid::Uuid::from_u128(number));
        let siri = PersonRef { id: PersonId(uuid::Uuid::from_u128(1)), name: "Siri".into() };
        let taken = RequestState::Accepted(Acceptance { accepted_by: siri, accepted_at: at(5) });
        let mut model = Model::default();
        for (id, priority, created, state) in [
            (1, Priority::Emergency, 0, taken),
            (2, Priority::Normal, 1, RequestState::Open),
            (3, Priority::High, 2, RequestState::Open),
            (4, Priority::Normal, 0, RequestState::Open),
        ] {
            let request = Request { id: number(id), priority, created_at: at(created), state, ..open_request() };
            model.put(request.into());
        }
        let order: Vec<_> = model.current().iter().map(|request| request.id).collect();
        assert_eq!(order, [3, 4, 2, 1].map(number));
        assert_eq!(model.counts(), (3, 1));
    }

    #[test]
    fn a_closed_request_leaves_the_board() {
        let mut model = Model::default();
        model.put(open_request().into());
        let by = PersonRef { id: PersonId(uuid::Uuid::from_u128(1)), name: "Siri".into() };
        let state =
            RequestState::Cancelled { acceptance: None, cancelled_by: by, cancelled_at: at(9), cancel_reason: None };
        model.put(Request { state, ..open_request() }.into());
        assert!(model.current().is_empty());
    }
}
