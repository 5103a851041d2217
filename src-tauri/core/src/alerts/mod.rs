//! Decides which requests ring on a device, from the shown state, never from a passing message. A restart during an
//! alert rings again; an accept by anybody ends the alert, also one's own before the server has seen it. If the guest
//! presses again afterwards, it rings for the person who accepted, until they accept once more.

use crewbell_shared::ids::{PersonId, RequestId};
use crewbell_shared::person::{Actor, Person, Right};
use crewbell_shared::request::{Priority, Request, RequestState};
use jiff::{SignedDuration, Timestamp};

use crate::screen::Alert;

/// Milliseconds after a start during which stored alerts are held back, because the server is about to send updates.
pub const HELD_AFTER_START_MS: u64 = 5_000;

/// Age from which a request rings only while the device has a connection, because without one it may have been answered
/// hours ago.
const DOUBTFUL_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Returns the alerts of a person: open requests that are theirs to answer, while they are on duty; requests that they
/// accepted and that were pressed again, on duty or not; and requests pressed again whose assignee is off duty. An
/// emergency rings on every signed-in device in any case. The highest priority comes first, then the oldest.
/// `is_there`: a colleague is active and on duty. `fresh`: the device is up to date with the server.
pub fn of<'a>(
    me: &Person,
    open: impl Iterator<Item = &'a Request>,
    is_there: impl Fn(PersonId) -> bool,
    is_silenced: impl Fn(RequestId) -> bool,
    fresh: bool,
    now: Timestamp,
) -> Vec<Alert> {
    let answers = me.on_duty && Actor::Person(me.clone()).may(Right::AnswerRequests);
    let rings = |request: &&Request| {
        let for_who_answers = answers || request.priority == Priority::Emergency;
        match request.holder() {
            Some(holder) if holder.id == me.id => request.is_pressed_since_accepted(),
            Some(holder) => for_who_answers && request.is_pressed_since_accepted() && !is_there(holder.id),
            None => for_who_answers && request.state == RequestState::Open,
        }
    };
    let mut alerts: Vec<Alert> = open
        .filter(rings)
        .map(|request| Alert {
            request_id: request.id,
            priority: request.priority,
            silenced: is_silenced(request.id),
            place_name: request.place_name.clone(),
            since: request.last_press_at.unwrap_or(request.created_at).max(request.created_at),
        })
        .filter(|alert| fresh || alert.since.saturating_add(DOUBTFUL_AFTER).is_ok_and(|until| now < until))
        .collect();
    alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.priority), alert.since, alert.request_id));
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crewbell_shared::request::{Acceptance, Command, decide, pressed_again};
    use crewbell_shared::testing::{at, open_request, sam, siri};

    fn ringing(me: &Person, requests: &[Request], fresh: bool, now: Timestamp) -> Vec<RequestId> {
        of(me, requests.iter(), |_| true, |_| false, fresh, now).iter().map(|alert| alert.request_id).collect()
    }

    #[test]
    fn an_open_request_rings_for_everybody_on_duty_who_answers() {
        let request = open_request(at(0));
        assert_eq!(ringing(&siri(), std::slice::from_ref(&request), true, at(1)), [request.id]);
    }

    #[test]
    fn the_off_duty_are_left_alone() {
        let off = Person { on_duty: false, ..siri() };
        assert!(ringing(&off, &[open_request(at(0))], true, at(1)).is_empty());
    }

    #[test]
    fn an_emergency_comes_before_what_is_older() {
        let call = open_request(at(0));
        let id = RequestId(uuid::Uuid::from_u128(99));
        let emergency = Request { id, priority: Priority::Emergency, ..open_request(at(30)) };
        assert_eq!(ringing(&siri(), &[call.clone(), emergency], true, at(31)), [id, call.id]);
    }

    #[test]
    fn a_guest_who_presses_again_rings_the_one_who_has_it_until_they_accept_once_more() {
        let state = RequestState::Accepted(Acceptance { accepted_by: siri().as_ref(), accepted_at: at(10) });
        let held = Request { state, ..open_request(at(0)) };
        assert!(ringing(&siri(), std::slice::from_ref(&held), true, at(20)).is_empty());
        let pressed = pressed_again(held, None, at(130));
        assert_eq!(ringing(&siri(), std::slice::from_ref(&pressed), true, at(131)), [pressed.id]);
        assert!(ringing(&sam(), std::slice::from_ref(&pressed), true, at(131)).is_empty(), "Siri has it");

        // If the person who accepted goes off duty, it rings for them all the same, and for everybody else.
        let off = Person { on_duty: false, ..siri() };
        assert_eq!(ringing(&off, std::slice::from_ref(&pressed), true, at(131)), [pressed.id]);
        let rings_for = |me: &Person| of(me, [&pressed].into_iter(), |_| false, |_| false, true, at(131)).len();
        assert_eq!((rings_for(&sam()), rings_for(&Person { on_duty: false, ..sam() })), (1, 0));

        let (heard, _) = decide(pressed, Command::Accept, &siri(), at(140)).unwrap();
        assert!(ringing(&siri(), &[heard], true, at(141)).is_empty());
    }

    #[test]
    fn what_was_asked_long_ago_rings_only_while_there_is_a_connection() {
        let old = Request { state: RequestState::Open, ..open_request(at(0)) };
        let two_hours_later = at(2 * 3600);
        assert!(ringing(&siri(), std::slice::from_ref(&old), false, two_hours_later).is_empty());
        assert_eq!(ringing(&siri(), std::slice::from_ref(&old), true, two_hours_later), [old.id]);
    }
}
