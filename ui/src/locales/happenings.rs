//! A sentence for everything that the log tells, by the entry's kind.

use super::names::as_words;
use super::words;

/// What happened, in words. A kind that a newer server tells of is read as words.
pub fn happened(kind: &str) -> String {
    let w = &words().log;
    let said = match kind {
        "request_created" => w.request_created,
        "request_pressed_again" => w.request_pressed_again,
        "request_voice_added" => w.request_voice_added,
        "request_accepted" => w.request_accepted,
        "request_released" => w.request_released,
        "request_handed_over" => w.request_handed_over,
        "request_completed" => w.request_completed,
        "request_cancelled" => w.request_cancelled,
        "request_noted" => w.request_noted,
        "button_found" => w.button_found,
        "button_pressed" => w.button_pressed,
        "button_connected" => w.button_connected,
        "button_lost" => w.button_lost,
        "button_seen" => w.button_seen,
        "button_assigned" => w.button_assigned,
        "button_created" => w.button_created,
        "button_retired" => w.button_retired,
        "button_credentials_set" => w.button_credentials_set,
        "do_not_disturb_set" => w.do_not_disturb_set,
        "do_not_disturb_cleared" => w.do_not_disturb_cleared,
        "place_created" => w.place_created,
        "place_changed" => w.place_changed,
        "guest_created" => w.guest_created,
        "guest_changed" => w.guest_changed,
        "guest_checked_in" => w.guest_checked_in,
        "guest_checked_out" => w.guest_checked_out,
        "person_created" => w.person_created,
        "person_changed" => w.person_changed,
        "person_on_duty" => w.person_on_duty,
        "person_off_duty" => w.person_off_duty,
        "person_signed_in" => w.person_signed_in,
        "person_signed_out" => w.person_signed_out,
        "person_secret_set" => w.person_secret_set,
        "call_started" => w.call_started,
        "call_missed" => w.call_missed,
        "call_answered" => w.call_answered,
        "call_rejected" => w.call_rejected,
        "call_cancelled" => w.call_cancelled,
        "call_ended" => w.call_ended,
        "call_dropped" => w.call_dropped,
        "call_seen" => w.call_seen,
        "person_busy" => w.person_busy,
        "person_not_busy" => w.person_not_busy,
        "settings_changed" => w.settings_changed,
        "site_created" => w.site_created,
        "join_code_set" => w.join_code_set,
        "activity_exported" => w.activity_exported,
        newer => return as_words(newer),
    };
    said.to_owned()
}

/// A part of the app, as the log calls it.
pub fn category(name: &str) -> String {
    let w = &words().log;
    let said = match name {
        "requests" => w.category_requests,
        "buttons" => w.category_buttons,
        "places" => w.category_places,
        "guests" => w.category_guests,
        "people" => w.category_people,
        "site" => w.category_site,
        "calls" => w.category_calls,
        newer => return as_words(newer),
    };
    said.to_owned()
}

/// The parts of the app that the log knows.
pub const CATEGORIES: [&str; 7] = ["requests", "buttons", "places", "guests", "people", "site", "calls"];

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::EntityType;

    use super::*;

    #[test]
    fn every_category_of_the_log_has_a_name() {
        for noun in EntityType::ALL {
            assert!(CATEGORIES.contains(&noun.category()));
        }
    }

    #[test]
    fn every_change_of_a_request_has_a_sentence() {
        use crewbell_shared::request::Change;
        let changes = [Change::Accepted, Change::Completed, Change::Cancelled, Change::Noted];
        for change in changes {
            assert_ne!(happened(change.entry_type()), as_words(change.entry_type()), "{change:?}");
        }
    }

    #[test]
    fn every_change_of_a_call_has_a_sentence() {
        use crewbell_shared::call::Change as C;
        let changes = [C::Started, C::Missed, C::Answered, C::Rejected, C::Cancelled, C::Ended, C::Dropped, C::Seen];
        for change in changes {
            assert_ne!(happened(change.entry_type()), as_words(change.entry_type()), "{change:?}");
        }
    }

    #[test]
    fn what_a_newer_server_tells_is_read_as_words() {
        assert_eq!(happened("room_cleaned"), "Room cleaned");
    }
}
