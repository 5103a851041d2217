//! Credentials that run out (draft-uberti-behave-turn-rest): anyone who shares the secret can check them, and nobody
//! needs to keep them.
//!
//! The username is when they run out, in seconds since 1970, and who may use them; the credential is the HMAC-SHA1 of
//! that.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crewbell_shared::ids::PersonId;
use jiff::Timestamp;
use ring::hmac;

use crate::config::Secret;

pub(super) fn username(person: PersonId, expires_at: Timestamp) -> String {
    format!("{}:{}", expires_at.as_second(), person.0)
}

pub(super) fn credential(secret: &Secret, username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    base64(hmac::sign(&key, username.as_bytes()).as_ref())
}

/// Whether a username has not run out.
pub(super) fn is_good(username: &str, now: Timestamp) -> bool {
    let expires_at = username.split_once(':').and_then(|(seconds, _)| seconds.parse::<i64>().ok());
    expires_at.is_some_and(|expires_at| expires_at > now.as_second())
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_what_other_turn_servers_expect() {
        // As `echo -n 1433895918:alice | openssl dgst -sha1 -hmac north -binary | base64` has it.
        assert_eq!(credential(&Secret::new("north"), "1433895918:alice"), "RqMvcGPYTJMGThVLSi4amT4zFtI=");
    }

    #[test]
    fn a_username_is_good_until_it_runs_out() {
        let now = Timestamp::from_second(1_000).unwrap();
        assert!(is_good("1001:somebody", now));
        for bad in ["1000:somebody", "999:somebody", "somebody", "", "x:y", "1001"] {
            assert!(!is_good(bad, now), "{bad}");
        }
    }
}
