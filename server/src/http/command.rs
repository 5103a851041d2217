//! REST writes: each is run as a command, like those of `POST /api/commands`.

use axum::Json;
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Outcome, Verb};

use super::ApiError;
use super::extract::{CurrentUser, IdempotencyKey};

/// The response of a write: the command's id and the number of the entry that it made.
pub type Answer = Result<Json<Outcome>, ApiError>;

/// Runs a person's command once per idempotency key. A refusal becomes an error with the matching status.
///
/// # Errors
/// Returns the refusal, or an error if the server fails.
pub async fn run(who: &CurrentUser, key: IdempotencyKey, verb: Verb) -> Answer {
    let id: CommandId = key.0;
    let command = Command { id, made_at: None, depends_on: None, verb };
    let outcome = who.0.site.command(&who.0.person, command).await?;
    match outcome.refusal {
        Some(refusal) => Err(refusal.into()),
        None => Ok(Json(outcome)),
    }
}
