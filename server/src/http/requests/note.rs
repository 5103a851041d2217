//! `POST /api/service-requests/{id}/notes`

use crewbell_shared::Refusal;
use crewbell_shared::ids::{NoteId, RequestId};
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::command::{self, Answer};
use crate::http::extract::{Body, CurrentUser, IdempotencyKey, Path};

/// Something to write on a request.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewNote {
    /// The note's id; the idempotency key serves when there is none.
    #[serde(default)]
    id: Option<NoteId>,
    /// In words; 2,000 characters at most.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
}

/// Writes something on a request; also when it is closed.
#[utoipa::path(
    post,
    path = "/api/service-requests/{id}/notes",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    request_body = NewNote,
    responses((status = 200, body = Outcome), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn note(
    who: CurrentUser,
    key: IdempotencyKey,
    Path(request_id): Path<RequestId>,
    Body(NewNote { id, text }): Body<NewNote>,
) -> Answer {
    let note_id = id.unwrap_or(NoteId(key.0.0));
    command::run(&who, key, Verb::NoteRequest { request_id, note_id, text }).await
}
