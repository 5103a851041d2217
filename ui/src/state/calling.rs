//! State of calls and presence as pages need it: who can be called, who is online, missed calls.

use crewbell_core::screen::Ask;
use crewbell_shared::call::{About, Call};
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::live::Status;
use crewbell_shared::{Code, Refusal};
use jiff::Timestamp;
use leptos::prelude::*;

use super::AppState;

impl AppState {
    /// The presence of a person; `None` without a connection, as this device can't know it then. The person's own busy
    /// flag counts as soon as this device knows it.
    pub fn presence_of(self, id: PersonId) -> Option<Status> {
        if !self.status.with(|status| status.link.is_there()) {
            return None;
        }
        let there = self.present.with(|all| all.iter().find(|one| one.person_id == id).map(|one| one.status));
        let busy = self.people.get(id).is_some_and(|item| item.entity.busy);
        Some(status_of(there, busy))
    }

    /// When an absent person, or one whose presence is unknown, was last online; `None` for the signed-in person and
    /// for somebody who never was.
    pub fn last_seen(self, id: PersonId) -> Option<Timestamp> {
        let is_away = matches!(self.presence_of(id), None | Some(Status::Offline));
        let at = self.seen.with(|seen| seen.get(&id).copied());
        at.filter(|_| is_away && self.my_id() != Some(id))
    }

    /// Why this device can't start a call now; `None` if it can.
    pub fn cant_call(self) -> Option<Code> {
        if !self.status.with(|status| status.link.is_there()) {
            return Some(Code::NoConnection);
        }
        let me = self.my_id()?;
        let in_call = |call: &Call| call.is_party(me) && call.is_live();
        self.calls.find(|item| in_call(&item.entity).then_some(Code::InACall))
    }

    /// Calls a person, or reports why that is impossible.
    pub fn call(self, person_id: PersonId, about: Option<About>) {
        match untrack(|| self.cant_call()) {
            None => self.ask(Ask::Call { person_id, about }),
            Some(code) => self.trouble.set(Some(Refusal::new(code, String::new()).into())),
        }
    }

    /// The number of calls that the person missed and hasn't seen.
    pub fn missed(self) -> usize {
        let me = self.my_id();
        self.calls.list(|item| (Some(item.entity.callee.id) == me && item.entity.is_unseen()).then_some(())).len()
    }
}

/// Combines a person's presence with their busy flag. The server sends the presence; the flag is often known sooner.
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
