//! Authentication challenges to unauthenticated clients (RFC 8489, 9.2.4), answered before the TURN library.
//!
//! The library creates a nonce for each unauthenticated request and never drops it, so such requests are kept from it.
//! Every half an hour a single one is let through to obtain a nonce; all others are answered here with that nonce. Only
//! a request with a MESSAGE-INTEGRITY attribute and a nonce that the library still knows is passed on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM};
use stun::error_code::{CODE_STALE_NONCE, CODE_UNAUTHORIZED, ErrorCodeAttribute};
use stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_REQUEST, Getter, METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND,
    METHOD_CREATE_PERMISSION, METHOD_REFRESH, Message, MessageType, Method, Setter,
};
use stun::textattrs::{Nonce, Realm};
use tokio::time::Instant;

/// How long a nonce is given out; the library accepts it for an hour.
const GIVEN_FOR: Duration = Duration::from_mins(30);
/// How long requests with a given nonce are passed on.
const TAKEN_FOR: Duration = Duration::from_mins(55);
/// How long the library may take to give a nonce, before another request is let through.
const ASKED_WITHIN: Duration = Duration::from_secs(1);

/// Methods whose unauthenticated requests the library answers with a nonce.
const CHALLENGED: [Method; 4] = [METHOD_ALLOCATE, METHOD_REFRESH, METHOD_CREATE_PERMISSION, METHOD_CHANNEL_BIND];

/// Action for a received datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Pass it to the library.
    Pass,
    /// Send this response back.
    Answer(Vec<u8>),
    /// Drop it; its sender retransmits.
    Drop,
}

/// The nonces that the library knows, newest first.
#[derive(Debug)]
pub(super) struct Challenges {
    realm: &'static str,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    nonces: Vec<(String, Instant)>,
    asked_at: Option<Instant>,
}

impl Challenges {
    pub(super) fn new(realm: &'static str) -> Self {
        Self { realm, known: Mutex::default() }
    }

    /// Classifies a received datagram.
    pub(super) fn judge(&self, datagram: &[u8], now: Instant) -> Verdict {
        // Channel data begins with other bits than a STUN message (RFC 8656, 12.4).
        if datagram.first().is_none_or(|first| first & 0xC0 != 0) {
            return Verdict::Pass;
        }
        let mut message = Message::new();
        if message.unmarshal_binary(datagram).is_err() {
            return Verdict::Drop;
        }
        if message.typ.class != CLASS_REQUEST || message.typ.method == METHOD_BINDING {
            return Verdict::Pass;
        }
        if !CHALLENGED.contains(&message.typ.method) {
            return Verdict::Drop;
        }
        let proves = message.contains(ATTR_MESSAGE_INTEGRITY);
        let mut known = self.known();
        known.nonces.retain(|(_, since)| now.saturating_duration_since(*since) < TAKEN_FOR);
        if proves && nonce_of(&message).is_some_and(|nonce| known.nonces.iter().any(|(known, _)| *known == nonce)) {
            return Verdict::Pass;
        }
        let newest = known.nonces.first().cloned();
        let is_fresh = newest.as_ref().is_some_and(|(_, since)| now.saturating_duration_since(*since) < GIVEN_FOR);
        let is_asked = known.asked_at.is_some_and(|asked| now.saturating_duration_since(asked) < ASKED_WITHIN);
        // The library answers a request with MESSAGE-INTEGRITY without a nonce.
        if !is_fresh && !is_asked && !proves {
            known.asked_at = Some(now);
            return Verdict::Pass;
        }
        match newest {
            Some((nonce, _)) => self.challenge(&message, nonce, proves).map_or(Verdict::Drop, Verdict::Answer),
            None => Verdict::Drop,
        }
    }

    /// Records the nonce of an error response that the library sends.
    pub(super) fn learn(&self, datagram: &[u8], now: Instant) {
        let is_error =
            datagram.first_chunk().is_some_and(|[high, low]| high & 1 == 1 && low & 0x10 != 0 && high & 0xC0 == 0);
        if !is_error {
            return;
        }
        let mut message = Message::new();
        let nonce = message.unmarshal_binary(datagram).ok().and_then(|()| nonce_of(&message));
        if let Some(nonce) = nonce {
            let mut known = self.known();
            known.nonces.insert(0, (nonce, now));
            // At most as many as an hour allows, if each is obtained when the last is no longer given out.
            known.nonces.truncate(4);
        }
    }

    fn challenge(&self, asked: &Message, nonce: String, is_stale: bool) -> Option<Vec<u8>> {
        let code = if is_stale { CODE_STALE_NONCE } else { CODE_UNAUTHORIZED };
        let parts: Vec<Box<dyn Setter>> = vec![
            Box::new(Message { transaction_id: asked.transaction_id, ..Message::default() }),
            Box::new(MessageType::new(asked.typ.method, CLASS_ERROR_RESPONSE)),
            Box::new(ErrorCodeAttribute { code, reason: Vec::new() }),
            Box::new(Nonce::new(ATTR_NONCE, nonce)),
            Box::new(Realm::new(ATTR_REALM, self.realm.to_owned())),
        ];
        let mut answer = Message::new();
        answer.build(&parts).ok()?;
        Some(answer.raw)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nonce_of(message: &Message) -> Option<String> {
    let mut nonce = Nonce::new(ATTR_NONCE, String::new());
    nonce.get_from(message).ok().map(|()| nonce.text)
}

#[cfg(test)]
mod tests {
    use stun::integrity::MessageIntegrity;

    use super::*;

    fn request(method: Method, nonce: Option<&str>, proves: bool) -> Vec<u8> {
        let mut parts: Vec<Box<dyn Setter>> = vec![Box::new(MessageType::new(method, CLASS_REQUEST))];
        if let Some(nonce) = nonce {
            parts.push(Box::new(Nonce::new(ATTR_NONCE, nonce.to_owned())));
        }
        if proves {
            parts.push(Box::new(MessageIntegrity::new_short_term_integrity("secret".to_owned())));
        }
        let mut message = Message::new();
        message.build(&parts).unwrap();
        message.raw
    }

    fn code_and_nonce(answer: &[u8]) -> (u16, String) {
        let mut message = Message::new();
        message.unmarshal_binary(answer).unwrap();
        let mut code = ErrorCodeAttribute::default();
        code.get_from(&message).unwrap();
        (code.code.0, nonce_of(&message).unwrap())
    }

    /// Returns challenges that have learnt the library's nonce.
    fn taught(now: Instant) -> Challenges {
        let challenges = Challenges::new("crewbell");
        assert_eq!(challenges.judge(&request(METHOD_ALLOCATE, None, false), now), Verdict::Pass, "the one that asks");
        let asked = Message { typ: MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST), ..Message::default() };
        let library_s = challenges.challenge(&asked, "n1".to_owned(), false).unwrap();
        challenges.learn(&library_s, now);
        challenges
    }

    #[test]
    fn no_stranger_s_request_but_one_in_half_an_hour_reaches_the_library() {
        let now = Instant::now();
        let challenges = taught(now);
        for method in [METHOD_ALLOCATE, METHOD_REFRESH, METHOD_CREATE_PERMISSION, METHOD_CHANNEL_BIND] {
            for n in 0..100 {
                let made_up = format!("made-up-{n}");
                for (nonce, proves, code) in
                    [(None, false, 401), (Some(made_up.as_str()), false, 401), (Some(made_up.as_str()), true, 438)]
                {
                    let Verdict::Answer(answer) = challenges.judge(&request(method, nonce, proves), now) else {
                        panic!("{method} {nonce:?} {proves} is answered");
                    };
                    assert_eq!(code_and_nonce(&answer), (code, "n1".to_owned()));
                }
            }
        }
        let later = now + Duration::from_mins(31);
        let passed =
            (0..1000).filter(|_| challenges.judge(&request(METHOD_REFRESH, None, false), later) == Verdict::Pass);
        assert_eq!(passed.count(), 1, "which asks for the next nonce");
    }

    #[test]
    fn whoever_proves_something_with_a_nonce_that_is_known_is_passed_on() {
        let now = Instant::now();
        let challenges = taught(now);
        let proof = request(METHOD_REFRESH, Some("n1"), true);
        assert_eq!(challenges.judge(&proof, now + Duration::from_mins(50)), Verdict::Pass);
        let challenges = taught(now);
        assert_ne!(
            challenges.judge(&request(METHOD_REFRESH, Some("n1"), false), now),
            Verdict::Pass,
            "it proves nothing"
        );
        let late = challenges.judge(&request(METHOD_ALLOCATE, None, false), now + Duration::from_mins(56));
        assert_eq!(late, Verdict::Pass, "asks for the next");
        assert_eq!(
            challenges.judge(&proof, now + Duration::from_mins(56)),
            Verdict::Drop,
            "too old, and no new one yet"
        );
    }

    #[test]
    fn what_is_no_request_for_a_relay_passes() {
        let challenges = Challenges::new("crewbell");
        let now = Instant::now();
        assert_eq!(challenges.judge(&[0x40, 0, 0, 2, 1, 2], now), Verdict::Pass, "channel data");
        for _ in 0..3 {
            assert_eq!(challenges.judge(&request(METHOD_BINDING, None, false), now), Verdict::Pass);
        }
        assert_eq!(challenges.judge(&[0, 3], now), Verdict::Drop);
        assert_eq!(challenges.judge(&[], now), Verdict::Pass, "an empty one is nobody's");
    }
}
