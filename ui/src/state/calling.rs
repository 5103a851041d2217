//! Calls, as a page asks about them: who can be called now, who is there, what was missed.

use crewbell_core::screen::Ask;
use crewbell_core::store::Line;
use crewbell_shared::call::{About, Call};
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::{self, Status};
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use leptos::prelude::*;

use super::State;

impl State {
    /// Whether somebody is there; none: this device has no connection, and can't know. What they say of themselves
    /// counts as soon as it is known here.
    pub fn presence_of(self, id: PersonId) -> Option<Status> {
        if !self.status.with(|status| status.link.is_there()) {
            return None;
        }
        let there = self.present.with(|all| all.iter().find(|one| one.person_id == id).map(|one| one.status));
        let busy = self.people.get(id).is_some_and(|item| item.noun.busy);
        Some(status_of(there, busy))
    }

    /// When somebody who isn't there was last there, if anything is known of it.
    pub fn last_seen(self, id: PersonId) -> Option<Timestamp> {
        self.seen.with(|seen| seen.get(&id).copied())
    }

    /// Why nobody can be called from here now; none: they can.
    pub fn cant_call(self) -> Option<Code> {
        if !self.status.with(|status| status.link.is_there()) {
            return Some(Code::NoConnection);
        }
        let me = self.my_id()?;
        let in_call = |call: &Call| call.is_party(me) && call.is_live();
        self.calls.find(|item| in_call(&item.noun).then_some(Code::InACall))
    }

    /// Calls somebody, or says why that can't be.
    pub fn call(self, person_id: PersonId, about: Option<About>) {
        match untrack(|| self.cant_call()) {
            None => self.ask(Ask::Call { person_id, about }),
            Some(code) => self.trouble.set(Some(Refusal::new(code, String::new()).into())),
        }
    }

    /// How many calls the person missed and hasn't seen.
    pub fn missed(self) -> usize {
        let me = self.my_id();
        self.calls.list(|item| (Some(item.noun.callee.id) == me && item.noun.is_unseen()).then_some(())).len()
    }

    /// Who is there now. Who was and isn't any more was seen just now.
    pub(super) fn now_present(self, people: Vec<live::Presence>) {
        let now = self.now.get_untracked();
        let is_there = |id| people.iter().any(|one| one.person_id == id);
        let gone: Vec<PersonId> = self
            .present
            .with_untracked(|all| all.iter().map(|one| one.person_id).filter(|id| !is_there(*id)).collect());
        if !gone.is_empty() {
            self.seen.update(|seen| seen.extend(gone.into_iter().map(|id| (id, now))));
        }
        self.present.set(people);
    }

    /// Who did something was there then.
    pub(super) fn see(self, lines: &[Line]) {
        self.seen.update(|seen| {
            for (id, at) in lines.iter().filter_map(|line| Some((line.actor.id?, line.at))) {
                let last = seen.entry(id).or_insert(at);
                *last = at.max(*last);
            }
        });
    }
}

/// What somebody's presence and what they say of themselves make together: the one is told by the server, and the other
/// is often known sooner.
fn status_of(there: Option<Status>, busy: bool) -> Status {
    match there {
        None | Some(Status::Offline) => Status::Offline,
        Some(Status::InCall) => Status::InCall,
        Some(Status::Busy | Status::Online) if busy => Status::Busy,
        Some(Status::Busy | Status::Online) => Status::Online,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_away_is_offline_and_who_speaks_is_in_a_call_whatever_they_said() {
        assert_eq!([None, Some(Status::Offline)].map(|there| status_of(there, true)), [Status::Offline; 2]);
        assert_eq!(status_of(Some(Status::InCall), true), Status::InCall);
    }

    #[test]
    fn what_somebody_just_said_of_themselves_is_shown_before_the_server_tells() {
        assert_eq!(status_of(Some(Status::Online), true), Status::Busy);
        assert_eq!(status_of(Some(Status::Busy), false), Status::Online);
    }
}
