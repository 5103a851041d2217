//! A guest who presses again: one card, ringing again, and every press counted.

use jiff::Timestamp;

use super::{Request, State, Wish};
use crate::site::Settings;

/// Whether a press that asks for something joins a request instead of making a new one.
///
/// It does when the request is still open, asks for the same, and was last pressed within the site's window. A clock
/// that went backwards puts the last press in the future: then it is a new request, because a card too many is a
/// nuisance and a press swallowed is a failure.
pub fn joins(request: &Request, wish: &Wish, at: Timestamp, settings: &Settings) -> bool {
    let Some(last) = request.last_press_at else { return false };
    let window = i64::from(settings.press_window_s) * 1000;
    let since = at.as_millisecond() - last.as_millisecond();
    request.state == State::Open
        && request.kind == wish.kind
        && request.service == wish.service
        && (0..window).contains(&since)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Kind, Priority};
    use crate::testing::{at, open_request};

    fn call() -> Wish {
        Wish { kind: Kind::Call, service: None, priority: Priority::Normal }
    }

    #[test]
    fn a_press_within_the_window_joins_and_one_at_its_end_does_not() {
        let settings = Settings { press_window_s: 20, ..Settings::default() };
        let request = open_request(at(100));
        assert!(joins(&request, &call(), at(100), &settings));
        assert!(joins(&request, &call(), at(119), &settings));
        assert!(!joins(&request, &call(), at(120), &settings));
    }

    #[test]
    fn the_window_runs_from_the_last_press() {
        let settings = Settings { press_window_s: 20, ..Settings::default() };
        let request = pressed_again(open_request(at(100)), Some("2".into()), at(115));
        assert_eq!((request.press_count, request.last_press_id.as_deref()), (2, Some("2")));
        assert!(joins(&request, &call(), at(130), &settings));
    }

    #[test]
    fn a_window_of_zero_makes_every_press_a_request() {
        let settings = Settings { press_window_s: 0, ..Settings::default() };
        assert!(!joins(&open_request(at(100)), &call(), at(100), &settings));
    }

    #[test]
    fn an_emergency_never_joins_a_call() {
        let emergency = Wish { kind: Kind::Emergency, service: None, priority: Priority::Emergency };
        assert!(!joins(&open_request(at(100)), &emergency, at(101), &Settings::default()));
    }

    #[test]
    fn a_clock_that_went_backwards_rings() {
        assert!(!joins(&open_request(at(100)), &call(), at(40), &Settings::default()));
    }
}
