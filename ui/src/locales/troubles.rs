//! Texts for connection errors.

use crewbell_core::screen::Trouble;

use super::{fill, refusals, words};

/// A connection error in words. The system's own message is included unchanged, for troubleshooting.
pub fn trouble(trouble: &Trouble) -> String {
    let w = &words().troubles;
    let text = match trouble {
        Trouble::Network { why } => return fill(w.network, &[("why", why)]),
        Trouble::Vault { why } => return fill(w.vault, &[("why", why)]),
        Trouble::Refused { refusal } => return refusals::refusal(refusal),
        Trouble::NoAnswer => w.no_answer,
        Trouble::Silent => w.silent,
        Trouble::Closed => w.closed,
        Trouble::Restarting => w.restarting,
        Trouble::TooSlow => w.too_slow,
        Trouble::Garbled => w.garbled,
        Trouble::Missed => w.missed,
        Trouble::Stranger => w.stranger,
        Trouble::Moved => w.moved,
        Trouble::OtherServer => w.other_server,
        Trouble::NoSocket => w.no_socket,
        Trouble::TooLarge => w.too_large,
        Trouble::Failed => w.failed,
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
            Trouble::Network { why: "os error 111".into() },
            Trouble::NoAnswer,
            Trouble::Silent,
            Trouble::Closed,
            Trouble::Restarting,
            Trouble::TooSlow,
            Trouble::Garbled,
            Trouble::Missed,
            Trouble::Stranger,
            Trouble::Moved,
            Trouble::OtherServer,
            Trouble::NoSocket,
            Trouble::TooLarge,
            Trouble::Refused { refusal },
            Trouble::Vault { why: "locked".into() },
            Trouble::Failed,
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
        let said = trouble(&Trouble::network("os error 111"));
        assert_eq!(said, "Der Server ist nicht zu erreichen (os error 111).");
    }
}
