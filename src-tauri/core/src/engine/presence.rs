//! Presence: who is online, and last-seen times, as far as this device knows.
//!
//! The server reports when a person went offline. The device itself only knows who is online: it stores that once a
//! minute and when its connection ends, so that it has last-seen times to show while offline.

use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::{LastSeen, Presence};
use jiff::Timestamp;

use super::{Engine, Now, Step};
use crate::screen::CoreEvent;
use crate::store::Write;

impl Engine {
    /// Handles the server's list of the people online.
    pub(super) fn present(step: &mut Step, people: Vec<Presence>, now: Now) {
        let was_there = |id: PersonId| step.live.present.iter().any(|one| one.person_id == id);
        let came: Vec<_> = people.iter().map(|one| one.person_id).filter(|id| !was_there(*id)).collect();
        let at = step.live.server_time(now);
        keep(step, came, at);
        step.live.present.clone_from(&people);
        step.emit(CoreEvent::Present { people });
    }

    /// Stores last-seen times of people who are offline.
    pub(super) fn last_seen(step: &mut Step, people: Vec<LastSeen>) {
        step.writes.push(Write::Seen(people));
    }

    /// Stores the last-seen time of everybody online, by the server's clock.
    pub(super) fn see_present(step: &mut Step, at: Timestamp) {
        let there = step.live.present.iter().map(|one| one.person_id).collect();
        keep(step, there, at);
    }
}

fn keep(step: &mut Step, people: Vec<PersonId>, at: Timestamp) {
    if !people.is_empty() {
        step.writes.push(Write::Seen(people.into_iter().map(|person_id| LastSeen { person_id, at }).collect()));
    }
}
