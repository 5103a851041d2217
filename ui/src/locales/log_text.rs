//! Texts for log entries, by the entry's kind.

use super::names::as_words;
use super::{Text, words};

/// The texts for a kind of entry.
#[derive(Clone, Copy, Debug)]
struct Telling {
    /// A short text, for contexts that show the actor and the entity separately.
    short: Text,
    /// A sentence with placeholders for names.
    sentence: Option<Text>,
}

/// Looks up the texts of a kind by name in the texts of the log and of the activity.
macro_rules! telling {
    ($kind:expr; short and sentence: $($both:ident)+; short: $($short:ident)+) => {{
        let (log, activity) = (&words().log, &words().activity);
        match $kind {
            $(stringify!($both) => Some(Telling { short: log.$both, sentence: Some(activity.$both) }),)+
            $(stringify!($short) => Some(Telling { short: log.$short, sentence: None }),)+
            _ => None,
        }
    }};
}

fn telling(kind: &str) -> Option<Telling> {
    telling! {
        kind;
        short and sentence:
            request_created request_pressed_again request_voice_added request_accepted request_released
            request_handed_over request_completed request_cancelled request_noted button_found
            button_pressed button_connected button_lost button_flapping button_seen button_assigned button_created
            button_retired button_credentials_set do_not_disturb_set do_not_disturb_cleared place_created
            place_changed guest_created guest_changed guest_checked_in guest_checked_out person_created
            person_changed person_on_duty person_off_duty person_signed_in person_signed_out
            person_secret_set person_sign_in_refused sign_ins_refused person_session_expired settings_changed site_created join_code_set activity_exported;
        short:
            call_started call_missed call_answered call_rejected call_cancelled call_ended
            call_dropped call_seen person_busy person_not_busy
    }
}

/// A short text for a kind of entry. An unrecognised kind, from a newer server, is shown as words.
pub fn happened(kind: &str) -> String {
    telling(kind).map_or_else(|| as_words(kind), |telling| telling.short.to_owned())
}

/// A sentence with placeholders for a kind of entry, if it has one.
pub fn sentence(kind: &str) -> Option<Text> {
    telling(kind)?.sentence
}

/// The name of a log category, which is a part of the app.
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

/// The log categories.
pub const CATEGORIES: [&str; 7] = ["requests", "buttons", "places", "guests", "people", "site", "calls"];

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::EntityType;

    use super::*;

    #[test]
    fn every_category_of_the_log_has_a_name() {
        for entity_type in EntityType::ALL {
            assert!(CATEGORIES.contains(&entity_type.category()));
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
