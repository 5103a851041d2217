//! Texts for connection errors.

use crewbell_core::screen::ConnectionError;

use super::{fill, refusals, words};

/// A connection error in words. The system's own message is included unchanged, for troubleshooting.
pub fn trouble(trouble: &ConnectionError) -> String {
    let w = &words().troubles;
    let text = match trouble {
        ConnectionError::Network { why } => return fill(w.network, &[("why", why)]),
        ConnectionError::Vault { why } => return fill(w.vault, &[("why", why)]),
        ConnectionError::Refused { refusal } => return refusals::refusal(refusal),
        ConnectionError::NoAnswer => w.no_answer,
        ConnectionError::Silent => w.silent,
        ConnectionError::Closed => w.closed,
        ConnectionError::Restarting => w.restarting,
        ConnectionError::TooSlow => w.too_slow,
        ConnectionError::Garbled => w.garbled,
        ConnectionError::Missed => w.missed,
        ConnectionError::Stranger => w.stranger,
        ConnectionError::Moved => w.moved,
        ConnectionError::OtherServer => w.other_server,
        ConnectionError::NoSocket => w.no_socket,
        ConnectionError::TooLarge => w.too_large,
        ConnectionError::Failed => w.failed,
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use crewbell_shared::{Code, Refusal};

    use super::*;
    use crate::locales::{Language, speak};

    #[test]
    fn a_reason_is_said_in_the_language_of_the_face_and_the_system_s_words_are_a_detail() {
        let refusal = Refusal::new(Code::Unavailable, "The database is away.");
        let reasons = [
            ConnectionError::Network { why: "os error 111".into() },
            ConnectionError::NoAnswer,
            ConnectionError::Silent,
            ConnectionError::Closed,
            ConnectionError::Restarting,
            ConnectionError::TooSlow,
            ConnectionError::Garbled,
            ConnectionError::Missed,
            ConnectionError::Stranger,
            ConnectionError::Moved,
            ConnectionError::OtherServer,
            ConnectionError::NoSocket,
            ConnectionError::TooLarge,
            ConnectionError::Refused { refusal },
            ConnectionError::Vault { why: "locked".into() },
            ConnectionError::Failed,
        ];
        for reason in reasons {
            let mut said: Vec<String> = Language::ALL
                .map(|language| {
                    speak(language);
                    trouble(&reason)
                })
                .into();
            assert!(!said.contains(&reason.to_string()), "{said:?}");
            said.sort();
            said.dedup();
            assert_eq!(said.len(), Language::ALL.len(), "{said:?}");
        }
        speak(Language::German);
        let said = trouble(&ConnectionError::network("os error 111"));
        assert_eq!(said, "Der Server ist nicht zu erreichen (os error 111).");
    }
}
