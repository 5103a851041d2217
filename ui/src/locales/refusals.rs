//! Texts for refusal codes and other errors.

use crewbell_core::screen::AskError;
use crewbell_shared::{Code, Refusal};

use super::{connection_error, fill, words};

/// A refusal in words. It names the person who was first, and the invalid field.
pub fn refusal(refusal: &Refusal) -> String {
    let w = &words().codes;
    let who = || person(refusal).unwrap_or_else(|| w.someone.to_owned());
    let text = match refusal.code {
        Code::AlreadyAccepted => return fill(w.already_accepted, &[("who", &who())]),
        Code::NotYours => return fill(w.not_yours, &[("who", &who())]),
        Code::Invalid => {
            let field = detail(refusal, "field").map(|name| field_name(&name));
            return field.map_or(w.invalid.to_owned(), |field| fill(w.invalid_field, &[("field", &field)]));
        }
        Code::TooMany => {
            let limit = detail(refusal, "limit");
            return limit.map_or(w.too_many.to_owned(), |limit| fill(w.too_many_limit, &[("limit", &limit)]));
        }
        Code::SlowDown => {
            let seconds = detail(refusal, "retry_after_s").and_then(|text| text.parse::<u64>().ok());
            return seconds.map_or(w.slow_down.to_owned(), |seconds| w.slow_down_for.say(seconds));
        }
        // The sentence of a newer server, as the code is unrecognised.
        Code::Unrecognised => return refusal.message.clone(),
        Code::NotAccepted => w.not_accepted,
        Code::AlreadyClosed => w.already_closed,
        Code::NotAllowed => w.not_allowed,
        Code::NotFound => w.not_found,
        Code::NameTaken => w.name_taken,
        Code::StayConflict => w.stay_conflict,
        Code::InUse => w.in_use,
        Code::NotActive => w.not_active,
        Code::KeyReused => w.key_reused,
        Code::TooOld => w.too_old,
        Code::NotesFull => w.notes_full,
        Code::DependsOnRefused => w.depends_on_refused,
        Code::BadCredentials => w.bad_credentials,
        Code::WrongSecret => w.wrong_secret,
        Code::NotSignedIn => w.not_signed_in,
        Code::SnapshotNeeded => w.snapshot_needed,
        Code::Unavailable => w.unavailable,
        Code::Internal => w.internal,
        Code::NoConnection => w.no_connection,
        Code::InACall => w.in_a_call,
        Code::AnsweredElsewhere => w.answered_elsewhere,
        Code::CallOver => w.call_over,
        Code::NotYourCall => w.not_your_call,
        Code::TooLarge => w.too_large,
        Code::NotThere => w.not_there,
        Code::NoSocket => w.no_socket,
        Code::Blocked => w.blocked,
    };
    text.to_owned()
}

/// The error of a request to the core, in words.
pub fn ask_error(error: &AskError) -> String {
    let w = &words().codes;
    match error {
        AskError::Refused { refusal: why } => refusal(why),
        AskError::Offline { .. } => w.offline.to_owned(),
        AskError::NotKept { full: true, .. } => w.not_kept_full.to_owned(),
        AskError::NotKept { full: false, .. } => w.not_kept.to_owned(),
        AskError::AlreadyRunning => w.already_running.to_owned(),
        AskError::Unreadable { .. } => w.unreadable.to_owned(),
        AskError::NotCrewbell { .. } => w.not_crewbell.to_owned(),
    }
}

/// Technical details of an error, for troubleshooting: why there is no connection, or the system's message.
pub fn system_words(error: &AskError) -> Option<String> {
    match error {
        AskError::Refused { .. } | AskError::AlreadyRunning => None,
        AskError::Offline { why } | AskError::NotCrewbell { why } => Some(connection_error::trouble(why)),
        AskError::NotKept { why, .. } | AskError::Unreadable { why } => Some(why.clone()),
    }
}

/// The name of the person in the refusal's details.
pub fn person(refusal: &Refusal) -> Option<String> {
    let by = refusal.details.get("by")?;
    let name = by.get("name").unwrap_or(by).as_str()?;
    Some(name.to_owned())
}

fn detail(refusal: &Refusal, name: &str) -> Option<String> {
    let value = refusal.details.get(name)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn field_name(field: &str) -> String {
    let w = &words().codes;
    match field {
        "name" => w.field_name.to_owned(),
        "text" => w.field_text.to_owned(),
        "notes" => w.field_notes.to_owned(),
        "reason" => w.field_reason.to_owned(),
        "secret" => w.field_secret.to_owned(),
        "place_id" | "parent_id" => w.field_place.to_owned(),
        "service" | "code" => w.field_service.to_owned(),
        "device" => w.field_device.to_owned(),
        other => super::names::as_words(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locales::{Language, speak};

    #[test]
    fn every_code_has_a_sentence_in_every_language() {
        for language in Language::ALL {
            speak(language);
            // An unrecognised code is shown in the server's own words.
            for code in Code::ALL.iter().filter(|code| **code != Code::Unrecognised) {
                let said = refusal(&Refusal::new(*code, "the server's own words"));
                assert!(!said.is_empty() && !said.contains('{') && !said.contains("server's own"), "{code}: {said}");
            }
        }
    }

    #[test]
    fn the_loser_is_told_who_won() {
        let siri = crewbell_shared::testing::siri().as_ref();
        let lost = Refusal::new(Code::AlreadyAccepted, "").with("by", &siri);
        assert_eq!(refusal(&lost), "Siri was first and has it.");
    }

    #[test]
    fn who_is_too_fast_is_told_how_long_to_wait() {
        let slow = Refusal::new(Code::SlowDown, "").with("retry_after_s", &30);
        assert_eq!(refusal(&slow), "Too many attempts. Try again in 30 seconds.");
        speak(Language::Croatian);
        assert_eq!(refusal(&slow), "Previše pokušaja. Pokušajte ponovno za 30 sekundi.");
    }
}
