//! Refusals: the rules' "no" to a command.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::person::Person;

/// A refusal of a command: a stable code for programs, a sentence for people, and details on the present state.
///
/// A refusal is a final result to show. It is never retried automatically: the same command would be refused again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// An English sentence, the fallback if a program has no better one for the code.
    pub message: String,
    /// Details on the present state: the entity, the winner's name, the limit that was exceeded.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl Refusal {
    /// Makes a refusal without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Value::Null }
    }

    /// Adds a value to the details under a name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        if let Value::Object(details) = &mut self.details {
            details.insert(name.to_owned(), value);
        } else {
            self.details = serde_json::json!({ name: value });
        }
        self
    }

    /// A refusal because an entity doesn't exist, or isn't visible to the actor.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}.")).with("what", &what)
    }

    /// A refusal because a person left or was never active.
    pub fn not_active(person: &Person) -> Self {
        Self::new(Code::NotActive, format!("{} is no longer active.", person.name))
    }

    /// A refusal because a field's value is invalid.
    pub fn invalid(field: &str, why: impl Into<String>) -> Self {
        Self::new(Code::Invalid, why).with("field", &field)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// The stable codes of refusals. A code is never renamed and never given a second meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $name),+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code's name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

codes! {
    /// Somebody else accepted first; `details.by` names the winner.
    AlreadyAccepted = "already_accepted",
    /// The request is not accepted by anybody yet.
    NotAccepted = "not_accepted",
    /// The request is accepted, but by somebody else; `details.by` names them.
    NotYours = "not_yours",
    /// The request is completed or cancelled.
    AlreadyClosed = "already_closed",
    /// The actor's role doesn't carry the right; `details.right` names it.
    NotAllowed = "not_allowed",
    /// The site has no such entity.
    NotFound = "not_found",
    /// A value is invalid; `details.field` names it.
    Invalid = "invalid",
    /// The name is taken; names that people sign in or look up by are unique.
    NameTaken = "name_taken",
    /// The place is occupied, or the stay has ended.
    StayConflict = "stay_conflict",
    /// The entity is in use and can't be removed.
    InUse = "in_use",
    /// The person left, or was never active.
    NotActive = "not_active",
    /// A limit is exceeded; `details.limit` holds it.
    TooMany = "too_many",
    /// The idempotency key was used before for another command.
    KeyReused = "key_reused",
    /// The command is older than the retention of idempotency keys, so it can't be known whether it was executed;
    /// `details.made_at` is its time.
    TooOld = "too_old",
    /// The request's limit of notes is exceeded; `details.limit` is their number, `details.limit_bytes` their size.
    NotesFull = "notes_full",
    /// Not sent because a command that it depends on was refused.
    DependsOnRefused = "depends_on_refused",
    /// Name, PIN or password are wrong.
    BadCredentials = "bad_credentials",
    /// The current PIN or password, which setting a new one requires, is wrong.
    WrongSecret = "wrong_secret",
    /// There is no valid token.
    NotSignedIn = "not_signed_in",
    /// Too many attempts; `details.retry_after_s` says when to retry.
    SlowDown = "slow_down",
    /// The cursor is older than the log, newer than its head, or of another history: the client needs a snapshot.
    /// `details.restored` says whether the cursor is from another log than the present one.
    SnapshotNeeded = "snapshot_needed",
    /// The command is valid only live, and there is no connection; the device itself refuses it.
    NoConnection = "no_connection",
    /// Calls need the live socket, and the network blocks it; the device itself refuses.
    NoSocket = "no_socket",
    /// An intermediary between device and server refused the command; `details.status` is its HTTP status. The device
    /// itself reports it.
    Blocked = "blocked",
    /// The caller is in a call already; `details.call` is that call.
    InACall = "in_a_call",
    /// Another device of the same person has the call.
    AnsweredElsewhere = "answered_elsewhere",
    /// The call is over, or its ringing timed out; `details.call` is the call.
    CallOver = "call_over",
    /// The call is between others, or only its other party may do that.
    NotYourCall = "not_your_call",
    /// The message is too large; `details.limit` is the limit in bytes.
    TooLarge = "too_large",
    /// The other party's device isn't connected.
    NotThere = "not_there",
    /// The database is unreachable; a retry is appropriate.
    Unavailable = "unavailable",
    /// The server failed; the error is in its log.
    Internal = "internal",
    /// A code of a newer server; the message is fit to show.
    #[serde(other)]
    Unrecognised = "unrecognised",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_crosses_a_wire_as_it_is_named() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_code_from_the_future_is_read_with_its_message() {
        let newer = serde_json::json!({ "code": "moon_phase", "message": "Not while the moon is full.", "details": 5 });
        let refusal: Refusal = serde_json::from_value(newer).unwrap();
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::Unrecognised, "Not while the moon is full."));
    }
}
