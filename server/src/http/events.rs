//! `GET /api/events`: the live stream as server-sent events.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::ids::EventId;
use crewbell_shared::protocol::live::FromClient;
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::{Body, CurrentUser, Query};
use super::texts::fits;
use super::{ApiError, App};
use crate::live::{Stream, events as stream_of, frames, said as hear};

/// Where to begin, and what to send.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The last entry that the client has; `Last-Event-ID` goes before it, and without both it begins at the head.
    after: Option<u64>,
    /// Categories, separated by commas; all when not given.
    #[param(max_length = 500)]
    categories: Option<String>,
    /// The event id of the entry that the client has. It reveals a log that was restored from a backup.
    event_id: Option<EventId>,
    /// Whether to send the frames of the live socket, one an event, instead of the entries: for an app whose network
    /// blocks web sockets. It sends a heartbeat with `POST /api/events/said` every 10 s.
    #[serde(default)]
    frames: bool,
}

/// The log from an entry on, each entry as one event, for as long as the client stays.
#[utoipa::path(
    get,
    path = "/api/events",
    tag = "sync",
    params(Params),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn events(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(asked): Query<Params>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let cursor = last_event_id(&headers)?.or(asked.after).unwrap_or(who.as_of);
    fits("categories", asked.categories.as_deref(), 500)?;
    let categories = asked.categories.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
    let stream = Stream::new(&who, cursor, asked.event_id, categories);
    let events = if asked.frames {
        frames(app.registry, app.silence, who, stream).into_response()
    } else {
        stream_of(app.registry, stream).into_response()
    };
    // Tells a proxy to pass events on at once instead of filling its buffer (nginx, `proxy_buffering`).
    Ok(([("x-accel-buffering", "no")], events))
}

/// Returns the last entry that a client says it has; `None` without the header.
///
/// # Errors
/// Returns `invalid` if it is no number, because starting at the head instead would silently lose the missed entries.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let wrong = || Refusal::invalid("Last-Event-ID", "It is the number of an entry, as in the `id` of an event.");
    number.map(Some).ok_or_else(wrong)
}

/// Says what an app would say on the live socket, while it listens to `GET /api/events?frames=true`: `heartbeat`,
/// `sound`, `sounded`.
#[utoipa::path(
    post,
    path = "/api/events/said",
    tag = "sync",
    request_body(content = serde_json::Value, example = json!({ "t": "heartbeat" })),
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn said(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Body(said): Body<FromClient>,
) -> Result<StatusCode, ApiError> {
    hear(&app.registry, &who, said)?;
    Ok(StatusCode::NO_CONTENT)
}
