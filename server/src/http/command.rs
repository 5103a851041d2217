//! Writes: every REST write is a command, and goes the way of `POST /api/commands`.

use axum::Json;
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Outcome, Verb};

use super::ApiError;
use super::extract::{IdempotencyKey, Who};

/// What a write answers: the command's id and the number of the entry that it made.
pub type Answer = Result<Json<Outcome>, ApiError>;

/// Does what a person wants, once for a key; a refusal is an error with the right status.
///
/// # Errors
/// The rules' "no", or the server can't.
pub async fn run(who: &Who, key: IdempotencyKey, verb: Verb) -> Answer {
    let id: CommandId = key.0;
    let command = Command { id, made_at: None, depends_on: None, verb };
    let outcome = who.0.site.command(&who.0.person, command).await?;
    match outcome.refusal {
        Some(refusal) => Err(refusal.into()),
        None => Ok(Json(outcome)),
    }
}
