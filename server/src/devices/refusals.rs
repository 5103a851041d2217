//! Acknowledgement of refused messages, and the remedy for each reason.
//!
//! A message that can't be recorded *at present* isn't acknowledged: the device resends it. A message that can *never*
//! be recorded is acknowledged, because it would be resent for ever and MQTT 3.1.1 has no answer but PUBACK. Since
//! PUBACK looks like a success to the device, the message appears in the administrator's list, under the device, with
//! the remedy.

use crewbell_shared::Code;

use super::listener::{Taken, Why};

/// Converts a refusal to the answer to the sender. If a resend would hold back all later messages, a temporary refusal
/// is acknowledged too, and only listed.
pub(super) fn taken(code: Code, can_come_again: bool) -> Taken {
    let later = matches!(code, Code::TooMany | Code::SlowDown | Code::Unavailable | Code::Internal);
    if later && can_come_again {
        Taken::NotNow
    } else if code == Code::NotAllowed {
        Taken::Refused(Why::NotAuthorized)
    } else {
        Taken::Refused(Why::PayloadInvalid)
    }
}

/// The remedy for a reason in the administrator's list, as text.
pub fn remedy(reason: &str) -> &'static str {
    match reason {
        "not_its_own" => {
            "It spoke for a button that has a password of its own, which only that button may do. Correct the device's topic \
             or user name; if a gateway is to speak for the button, clear the button's password."
        }
        "too_many_new" => "Too many new buttons wait to be assigned. Assign or retire some of them, and press again.",
        "wrong_password" => "Make new credentials for the button, and put them into the device.",
        "has_no_password" => {
            "The device signs in as a button that has no password of its own. Give it the site's user name and join code, or \
             make credentials for the button."
        }
        "wrong_join_code" => "Put the site's present join code into the device, or make a new one.",
        "unknown_user_name" => {
            "No button has the name that the device signs in with. Correct its user name: the site, a slash, and the button's id."
        }
        "shared_client_id" => {
            "Give each device a client id of its own; several that share one throw each other off. If it is one device, it \
             keeps losing its connection: look at its Wi-Fi and power."
        }
        "flood" => {
            "It presses or speaks faster than anybody can press. Nothing is lost, but look whether a key is stuck, or its \
             firmware repeats itself."
        }
        "too_many_sorts" => {
            "It sent more different things than are listed. Look at what it sends, with an MQTT client."
        }
        "retained" => "Have it publish without the retain flag: a retained press would ring again at every restart.",
        "too_large" => "Have it send less: a press is a few hundred bytes.",
        "repeats_press_ids" => {
            "It gives different presses the same id. They ring all the same, but a press that it sends twice may count twice: \
             update its firmware, or let its ids go on over a restart."
        }
        "unknown_topic" => {
            "Correct the topic: it ends in /pressed behind the button's id, or is one of a known maker's."
        }
        "unknown_word" => "If the word is a press, say in the app which one: it rings from then on.",
        "heartbeat" | "empty_action" => "Nothing need be done: it is no press, and isn't meant to be one.",
        "not_utf8" | "not_json" | "unknown_shape" | "not_a_press" | "damaged" => {
            "Compare what it sends with what a button may say, and correct its settings or firmware."
        }
        _ => "Look at what the device sent, and correct its settings or firmware.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_taken_later_is_not_acknowledged_unless_it_would_hold_back_all_others() {
        for code in [Code::TooMany, Code::SlowDown, Code::Unavailable, Code::Internal] {
            assert_eq!(taken(code, true), Taken::NotNow, "{code}");
            assert!(matches!(taken(code, false), Taken::Refused(_)), "{code}");
        }
        for code in [Code::NotAllowed, Code::Invalid, Code::TooLarge, Code::NotFound] {
            assert!(matches!(taken(code, true), Taken::Refused(_)), "{code}");
        }
    }

    #[test]
    fn each_reason_has_a_sentence_that_says_what_to_do() {
        for reason in ["not_its_own", "wrong_password", "shared_client_id", "flood", "invalid", "unknown_shape"] {
            let words = remedy(reason);
            assert!(words.ends_with('.') && words.len() > 30, "{reason}: {words}");
        }
    }
}
