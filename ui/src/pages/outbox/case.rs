//! The current state of a refused command's subject: the reason dates from the refusal, this from now.

use crewbell_shared::guest::{Stay, StayVerb};
use crewbell_shared::ids::{GuestId, PersonId, RequestId, StayId};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestState;
use crewbell_shared::{Code, Refusal};
use leptos::prelude::*;

use crate::locales::{fill, refusals, time, words};
use crate::state::AppState;

/// The current state, if it differs from what the reason says.
pub fn now(state: AppState, verb: &Verb, refusal: &Refusal) -> Option<String> {
    let is_conflict = refusal.code == Code::StayConflict;
    match verb {
        Verb::Stay(StayVerb::CheckIn { stay_id, guest_id, .. }) => {
            is_conflict.then(|| stays(state, *stay_id, *guest_id))
        }
        Verb::Stay(StayVerb::CheckOut { stay_id }) => is_conflict.then(|| left(state, *stay_id)),
        Verb::Request(_) => {
            let request = state.requests.get(RequestId(verb.subject()?.id))?.entity;
            let said = refusals::person(refusal);
            request_now(&request.state, state.my_id(), said.as_deref(), |at| time::moment(at, state.now.get()))
        }
        Verb::Site(_) | Verb::Person(_) | Verb::Place(_) | Verb::Guest(_) | Verb::Button(_) | Verb::Call(_) => None,
    }
}

/// The state of a request; `None` if the reason `said` it already.
fn request_now(
    how: &RequestState,
    me: Option<PersonId>,
    said: Option<&str>,
    moment: impl Fn(jiff::Timestamp) -> String,
) -> Option<String> {
    let w = &words().outbox;
    match how {
        RequestState::Open => Some(w.now_open.to_owned()),
        RequestState::Accepted(acceptance) if Some(acceptance.accepted_by.id) == me => Some(w.now_yours.to_owned()),
        RequestState::Accepted(acceptance) => {
            let who = &acceptance.accepted_by.name;
            (said != Some(who)).then(|| fill(w.now_has, &[("who", who)]))
        }
        RequestState::Completed { completed_by, completed_at, .. } => {
            Some(fill(w.now_done, &[("who", &completed_by.name), ("time", &moment(*completed_at))]))
        }
        RequestState::Cancelled { cancelled_by, cancelled_at, .. } => {
            Some(fill(w.now_cancelled, &[("who", &cancelled_by.name), ("time", &moment(*cancelled_at))]))
        }
    }
}

/// Why a guest can't be checked out: they have left.
fn left(state: AppState, stay_id: StayId) -> String {
    let guest = state.stays.get(stay_id).and_then(|item| state.guest_name(item.entity.guest_id));
    let who = guest.unwrap_or_else(|| words().verbs.unknown_thing.to_owned());
    fill(words().guests.conflict_left, &[("who", &who)])
}

/// Why a guest can't be checked in: they have another stay, or this stay has begun already.
fn stays(state: AppState, stay_id: StayId, guest_id: GuestId) -> String {
    let w = &words().guests;
    let is_current = |stay: &Stay| stay.guest_id == guest_id && stay.checked_out_at.is_none() && stay.id != stay_id;
    let elsewhere = state.stays.find(|item| is_current(&item.entity).then_some(item.entity.place_id));
    match elsewhere {
        Some(place_id) => {
            let who = state.guest_name(guest_id).unwrap_or_default();
            fill(w.conflict_stays, &[("who", &who), ("place", &state.place_name(place_id))])
        }
        None if state.stays.get(stay_id).is_some() => w.conflict_begun.to_owned(),
        None => words().codes.stay_conflict.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::request::Acceptance;
    use crewbell_shared::testing::{at, sam, siri};

    use super::*;

    fn told(how: &RequestState, said: Option<&str>) -> Option<String> {
        request_now(how, Some(sam().id), said, |_| "14:02".to_owned())
    }

    fn siri_has_it() -> Acceptance {
        Acceptance { accepted_by: siri().as_ref(), accepted_at: at(0) }
    }

    #[test]
    fn the_winner_is_named_once() {
        let how = RequestState::Accepted(siri_has_it());
        assert_eq!(told(&how, Some("Siri")), None);
        assert_eq!(told(&how, Some("Dana")).as_deref(), Some("Siri has it."));
        let mine = Acceptance { accepted_by: sam().as_ref(), ..siri_has_it() };
        assert_eq!(told(&RequestState::Accepted(mine), None).as_deref(), Some("You have it."));
    }

    #[test]
    fn what_happened_since_the_refusal_is_told() {
        let acceptance = siri_has_it();
        let done = RequestState::Completed { acceptance, completed_by: siri().as_ref(), completed_at: at(9) };
        assert_eq!(told(&done, Some("Siri")).as_deref(), Some("Siri completed it at 14:02."));
        assert_eq!(
            told(&RequestState::Open, Some("Siri")).as_deref(),
            Some("It is open again: you can try once more.")
        );
    }
}
