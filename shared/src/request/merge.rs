//! Merging of a guest's further presses into an existing request, which rings again and counts every press.
//!
//! | the request | a further press for the same |
//! |---|---|
//! | open, last pressed within the site's window | joins it and rings again for everybody |
//! | accepted, for less than two hours, by somebody reachable, for the same guest | joins it and rings for them alone |
//! | accepted otherwise, or for something else | is a new request, which shows the holder of the other and since when |
//! | closed, or open and last pressed before the window | is a new request |
//!
//! An emergency never joins an accepted request: it makes one of its own, which rings for everybody. A possible
//! repetition of a recent press ([`Judgement::New`](crate::button::Judgement)) joins that press's request, open or
//! accepted.

use jiff::{SignedDuration, Timestamp};

use super::{Held, Kind, Request, RequestState, Wish};
use crate::ids::GuestId;
use crate::person::Person;
use crate::site::SiteSettings;

/// The time for which further presses join an accepted request. After it, the holder has probably forgotten it, or
/// served the guest without completing it.
pub const HELD_FOR: SignedDuration = SignedDuration::from_hours(2);

/// Maximum age of a press that a doubtful one may repeat.
pub const ECHOES_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Whether a press joins an open request instead of creating another.
///
/// The request must be open, ask for the same, and have been last pressed within the site's window. A clock that was
/// set back puts the last press in the future. Then a new request is made, because an extra request is a nuisance and a
/// lost press is a failure.
pub fn joins(request: &Request, wish: &Wish, at: Timestamp, settings: &SiteSettings) -> bool {
    let Some(last) = request.last_press_at else { return false };
    let window = i64::from(settings.press_window_s) * 1000;
    let since = at.as_millisecond() - last.as_millisecond();
    request.state == RequestState::Open && asks_for(request, wish) && (0..window).contains(&since)
}

/// Whether a guest's press joins an accepted request. `hears` is whether the holder has a device that would ring.
pub fn joins_held(
    request: &Request,
    wish: &Wish,
    guest: Option<GuestId>,
    (holder, hears): (&Person, bool),
    at: Timestamp,
) -> bool {
    let RequestState::Accepted(acceptance) = &request.state else { return false };
    let is_there = acceptance.accepted_by.id == holder.id && holder.active && holder.on_duty && hears;
    let held = at.duration_since(acceptance.accepted_at);
    let held = held >= SignedDuration::ZERO && held < HELD_FOR;
    wish.kind != Kind::Emergency && asks_for(request, wish) && request.guest_id == guest && is_there && held
}

/// Whether a doubtful press belongs to a request.
pub fn echoes(request: &Request, wish: &Wish, at: Timestamp) -> bool {
    let recent = request.last_press_at.is_some_and(|last| at.duration_since(last).abs() <= ECHOES_FOR);
    !request.state.is_closed() && asks_for(request, wish) && recent
}

/// Counts a further press on a request.
#[must_use]
pub fn pressed_again(request: Request, device_press_id: Option<String>, at: Timestamp) -> Request {
    Request {
        press_count: request.press_count.saturating_add(1),
        last_press_id: device_press_id,
        last_press_at: Some(at),
        ..request
    }
}

fn asks_for(request: &Request, wish: &Wish) -> bool {
    request.kind == wish.kind && request.service == wish.service
}

impl Request {
    /// Whether the guest has pressed since the acceptance. Then it rings for the holder until they accept it again or
    /// lose it.
    pub fn is_pressed_since_accepted(&self) -> bool {
        match &self.state {
            RequestState::Accepted(acceptance) => self.last_press_at.is_some_and(|last| last > acceptance.accepted_at),
            RequestState::Open | RequestState::Completed { .. } | RequestState::Cancelled { .. } => false,
        }
    }

    /// The holder and the time of acceptance, to be shown with another request.
    pub fn held(&self) -> Option<Held> {
        match &self.state {
            RequestState::Accepted(acceptance) => {
                Some(Held { request_id: self.id, by: acceptance.accepted_by.clone(), since: acceptance.accepted_at })
            }
            RequestState::Open | RequestState::Completed { .. } | RequestState::Cancelled { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Acceptance, Priority};
    use crate::testing::{at, gus, open_request, sam, siri};

    fn call() -> Wish {
        Wish { kind: Kind::Call, service: None, priority: Priority::Normal }
    }

    fn emergency() -> Wish {
        Wish { kind: Kind::Emergency, service: None, priority: Priority::Emergency }
    }

    /// Gus's request, accepted by Siri at a time.
    fn held_since(accepted_at: Timestamp) -> Request {
        let state = RequestState::Accepted(Acceptance { accepted_by: siri().as_ref(), accepted_at });
        Request { state, guest_id: Some(gus().id), ..open_request(at(0)) }
    }

    #[test]
    fn a_press_within_the_window_joins_and_one_at_its_end_does_not() {
        let settings = SiteSettings { press_window_s: 20, ..SiteSettings::default() };
        let request = open_request(at(100));
        assert!(joins(&request, &call(), at(100), &settings));
        assert!(joins(&request, &call(), at(119), &settings));
        assert!(!joins(&request, &call(), at(120), &settings));
    }

    #[test]
    fn the_window_runs_from_the_last_press() {
        let settings = SiteSettings { press_window_s: 20, ..SiteSettings::default() };
        let request = pressed_again(open_request(at(100)), Some("2".into()), at(115));
        assert_eq!((request.press_count, request.last_press_id.as_deref()), (2, Some("2")));
        assert!(joins(&request, &call(), at(130), &settings));
    }

    #[test]
    fn a_window_of_zero_makes_every_press_a_request() {
        let settings = SiteSettings { press_window_s: 0, ..SiteSettings::default() };
        assert!(!joins(&open_request(at(100)), &call(), at(100), &settings));
    }

    #[test]
    fn an_emergency_never_joins_a_call() {
        assert!(!joins(&open_request(at(100)), &emergency(), at(101), &SiteSettings::default()));
    }

    #[test]
    fn a_clock_that_went_backwards_rings() {
        assert!(!joins(&open_request(at(100)), &call(), at(40), &SiteSettings::default()));
        assert!(!joins_held(&held_since(at(100)), &call(), Some(gus().id), (&siri(), true), at(99)));
    }

    #[test]
    fn what_somebody_has_is_joined_for_two_hours_while_they_can_hear_it() {
        let request = held_since(at(100));
        let guest = Some(gus().id);
        let joined = |after: i64| joins_held(&request, &call(), guest, (&siri(), true), at(100 + after));
        assert_eq!([0, 120, 1800, 7199, 7200, 8 * 3600].map(joined), [true, true, true, true, false, false]);
        let off_duty = Person { on_duty: false, ..siri() };
        let left = Person { active: false, ..siri() };
        for (holder, hears) in [(&siri(), false), (&off_duty, true), (&left, true), (&sam(), true)] {
            assert!(!joins_held(&request, &call(), guest, (holder, hears), at(220)), "{holder:?} {hears}");
        }
        assert!(
            !joins_held(&request, &call(), Some(crate::testing::id(61)), (&siri(), true), at(220)),
            "another guest"
        );
        assert!(!joins_held(&open_request(at(100)), &call(), None, (&siri(), true), at(220)), "nobody has it");
    }

    #[test]
    fn only_the_same_joins_what_somebody_has_and_an_emergency_never() {
        let urgent = Wish { kind: Kind::Urgent, service: None, priority: Priority::High };
        let request = held_since(at(100));
        let joined =
            |request: &Request, wish: &Wish| joins_held(request, wish, Some(gus().id), (&siri(), true), at(101));
        assert!(!joined(&request, &urgent));
        assert!(!joined(&request, &emergency()));
        let alarm = Request { kind: Kind::Emergency, priority: Priority::Emergency, ..request };
        assert!(!joined(&alarm, &emergency()), "it rings for everybody");
    }

    #[test]
    fn a_possible_repetition_stays_on_its_card_whoever_has_it() {
        let settings = SiteSettings { press_window_s: 0, ..SiteSettings::default() };
        assert!(!joins(&open_request(at(100)), &call(), at(103), &settings));
        assert!(echoes(&open_request(at(100)), &call(), at(103)));
        assert!(echoes(&held_since(at(1)), &call(), at(103)));
        assert!(!echoes(&held_since(at(1)), &emergency(), at(103)));
        assert!(!echoes(&open_request(at(100)), &call(), at(701)));
    }

    #[test]
    fn it_rings_for_the_holder_from_the_press_until_they_accept_once_more() {
        use crate::request::{Command, decide};
        let request = held_since(at(100));
        assert!(!request.is_pressed_since_accepted());
        let pressed = pressed_again(request, None, at(220));
        assert!(pressed.is_pressed_since_accepted());
        let (answered, change) = decide(pressed, Command::Accept, &siri(), at(230)).unwrap();
        assert!(!answered.is_pressed_since_accepted());
        assert_eq!(change.map(|change| change.entry_type()), Some("request_accepted"));
        assert_eq!(answered.held().unwrap().since, at(230));
        let (_, change) = decide(answered, Command::Accept, &siri(), at(240)).unwrap();
        assert_eq!(change, None, "once is enough");
    }
}
