//! The rules' "no" to a command.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::person::Person;

/// Why a command was refused: a stable code for programs, a sentence for people, and what is the case now.
///
/// A refusal is a result to show. It is never retried by itself: the same command would be refused again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// An English sentence, fit to show when a program knows no better one for the code.
    pub message: String,
    /// What is the case now: the entity as it is, the winner's name, the limit that was passed.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl Refusal {
    /// Makes a refusal with nothing more to say.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Value::Null }
    }

    /// Adds what is the case now under a name.
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

    /// Refuses because there is no such thing (or none that the actor may know of).
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}.")).with("what", &what)
    }

    /// Refuses because somebody left, or was never active.
    pub fn not_active(person: &Person) -> Self {
        Self::new(Code::NotActive, format!("{} is no longer active.", person.name))
    }

    /// Refuses because a value can't be taken, and says which.
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
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code as it crosses a wire.
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
    /// The request is completed or cancelled: nothing more can be done with it.
    AlreadyClosed = "already_closed",
    /// The actor's role doesn't carry the right; `details.right` names it.
    NotAllowed = "not_allowed",
    /// There is no such thing at this site.
    NotFound = "not_found",
    /// A value can't be taken; `details.field` names it.
    Invalid = "invalid",
    /// The name is taken; names that people sign in or look up by are unique.
    NameTaken = "name_taken",
    /// The place has somebody staying already, or the stay has ended.
    StayConflict = "stay_conflict",
    /// The thing is in use and can't go.
    InUse = "in_use",
    /// The person left, or was never active.
    NotActive = "not_active",
    /// More than the limit; `details.limit` says how many.
    TooMany = "too_many",
    /// The idempotency key was used for another command before.
    KeyReused = "key_reused",
    /// The command is older than it is kept which were done, and nobody knows whether this one was; `details.made_at` says
    /// when it was given.
    TooOld = "too_old",
    /// The request holds no more notes; `details.limit` says how many it holds, `details.limit_bytes` how much text.
    NotesFull = "notes_full",
    /// Not sent because a command that it depends on was refused.
    DependsOnRefused = "depends_on_refused",
    /// Name, PIN or password are wrong.
    BadCredentials = "bad_credentials",
    /// The present PIN or password, which a new one of one's own needs, is another one.
    WrongSecret = "wrong_secret",
    /// There is no valid token.
    NotSignedIn = "not_signed_in",
    /// Too many attempts; `details.retry_after_s` says when to try again.
    SlowDown = "slow_down",
    /// The cursor is older than the log, newer than its head, or of another history: take a snapshot.
    /// `details.restored` says whether the log is no longer the one that the cursor is from.
    SnapshotNeeded = "snapshot_needed",
    /// The command makes sense only now, and there is no connection; a device refuses it itself.
    NoConnection = "no_connection",
    /// Calls need the live socket, and the network lets none through; a device refuses it itself.
    NoSocket = "no_socket",
    /// Something between device and server refused to pass the command on; `details.status` is its HTTP status. A device
    /// says so itself.
    Blocked = "blocked",
    /// The one who calls is in a call already; `details.call` is that call.
    InACall = "in_a_call",
    /// Another device of the same person has the call.
    AnsweredElsewhere = "answered_elsewhere",
    /// The call is over, or has rung its time; `details.call` is the call as it is.
    CallOver = "call_over",
    /// The call is between others, or only the other side may do that.
    NotYourCall = "not_your_call",
    /// What was sent is larger than may be; `details.limit` says how many bytes are allowed.
    TooLarge = "too_large",
    /// The other side's device isn't connected at the moment.
    NotThere = "not_there",
    /// The database can't be reached at the moment; trying again is right.
    Unavailable = "unavailable",
    /// The server failed; it has been logged there.
    Internal = "internal",
    /// A code of a newer server: the message says what a person needs to know.
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
