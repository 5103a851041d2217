//! `GET /api/service-requests/{id}`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Entry;
use crewbell_shared::protocol::live::Reach;
use crewbell_shared::request::Request;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::db::{calls, entries, requests};
use crate::http::extract::{CurrentUser, Path};
use crate::http::{ApiError, App};
use crate::log::LogEntry;

/// A request with its whole story.
#[derive(Debug, Serialize, ToSchema)]
pub struct Story {
    /// The request as it is now.
    request: Request,
    /// All that happened to it, oldest first, with the calls about it.
    #[schema(value_type = Vec<Entry>)]
    timeline: Vec<Box<RawValue>>,
    /// How many devices its alert reached; none when it is closed, or was asked for an hour ago.
    reached: Option<Reach>,
}

/// One request with all that happened to it.
#[utoipa::path(
    get,
    path = "/api/service-requests/{id}",
    tag = "requests",
    params(("id" = RequestId, Path, description = "The request")),
    responses((status = 200, body = Story), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn get(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Path(id): Path<RequestId>,
) -> Result<Json<Story>, ApiError> {
    let mut tx = app.registry.db.read(who.site.id).await?;
    let request = requests::find(&mut tx, who.site.id, id).await?.ok_or_else(|| ApiError::not_found("request"))?;
    let mut entities = calls::about(&mut tx, who.site.id, id.0).await?;
    entities.push(id.0);
    let rows = entries::of_entities(&mut tx, who.site.id, &entities).await?;
    let timeline = envelopes(&who.site.slug, rows)?;
    let reached = who.site.reach(id, app.registry.clock.now());
    Ok(Json(Story { request, timeline, reached }))
}

/// Converts rows to entries in their wire format.
pub(in crate::http) fn envelopes(
    slug: &str,
    rows: Vec<(u64, entries::EntryRow)>,
) -> Result<Vec<Box<RawValue>>, ApiError> {
    let envelope =
        |(seq, row)| LogEntry::new(slug, seq, row).and_then(|entry| RawValue::from_string(entry.envelope.into()));
    rows.into_iter().map(envelope).collect::<Result<_, _>>().map_err(|error| crate::db::DbError::from(error).into())
}
