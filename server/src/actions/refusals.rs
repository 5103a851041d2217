//! Maps constraint violations of the database to refusals, where only unique keys and constraints can decide.

use crewbell_shared::{Code, Refusal};

use crate::db::DbError;

/// A unique key that already exists although the look-up before didn't find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// A press's key, by which a resend is recognised.
    Press,
    /// A command's id.
    Command,
    /// A button's device id.
    Button,
}

/// Returns the conflict if an error is a violation of such a key; the job is then loaded and decided again.
pub(super) fn conflict_of(error: &DbError) -> Option<Conflict> {
    match error.constraint() {
        Some("presses_press_key") => Some(Conflict::Press),
        Some("commands_pk") => Some(Conflict::Command),
        Some("buttons_device_key") => Some(Conflict::Button),
        Some(_) | None => None,
    }
}

/// Converts a database error into the refusal that the rules would have given; `None` for an error that only a fault of
/// the server can cause.
pub(super) fn refusal_from_db_error(error: &DbError) -> Option<Refusal> {
    let taken = |what: &str| Refusal::new(Code::NameTaken, format!("There is a {what} of that name already."));
    match error.constraint() {
        Some("people_name_key") => return Some(taken("member of the crew")),
        Some("places_name_key") => return Some(taken("place")),
        Some("sites_slug_key") => return Some(taken("site")),
        Some("buttons_device_key") => return Some(taken("button")),
        Some("sites_slug_shape") => {
            return Some(Refusal::invalid("slug", "A slug is lower-case letters, digits and hyphens, 63 at most."));
        }
        Some("stays_current_by_guest") => {
            return Some(Refusal::new(Code::StayConflict, "The guest is staying somewhere already."));
        }
        Some("calls_live_by_caller" | "calls_live_by_callee") => {
            return Some(Refusal::new(Code::InACall, "One of the two is in a call already."));
        }
        Some("places_own_parent") => return Some(Refusal::invalid("parent_id", "A place can't stand in itself.")),
        Some(_) | None => {}
    }
    let DbError::Sqlx(sqlx::Error::Database(database)) = error else { return None };
    // Class 22 is "data exception": an invalid text, such as one with a NUL character. Class 23 is "integrity
    // constraint violation": one that no rule anticipated, and that a retry can't resolve.
    let code = database.code()?;
    if code.starts_with("23") {
        tracing::error!(constraint = error.constraint(), "The database refused what the rules allowed.");
        return Some(Refusal::new(Code::Invalid, "This doesn't go together with what is there."));
    }
    code.starts_with("22").then(|| Refusal::new(Code::Invalid, "A value can't be stored."))
}
