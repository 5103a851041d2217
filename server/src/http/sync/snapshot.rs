//! `GET /api/sync/snapshot`

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::ids::EventId;
use crewbell_shared::protocol::Entity;
use futures_util::stream;
use jiff::SignedDuration;
use serde::Serialize;

use crate::db::{self, DbError};
use crate::http::extract::Who;
use crate::http::{ApiError, App};

/// How far back a snapshot goes with requests that are closed, stays that ended, and calls.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Nouns on one line at most.
const CHUNK: usize = 200;

#[derive(Serialize)]
struct Head<'a> {
    seq: u64,
    event_id: Option<EventId>,
    site: &'a str,
    nouns: usize,
}

/// All that the asker may see, as of one entry: lines of JSON (`application/x-ndjson`). The first is `{"seq",
/// "event_id", "site", "nouns"}`, with the event id of the entry with that number, whoever it is for (null at 0); each that
/// follows is a list of nouns, `[{"entity_type", "entity"}]`. Closed requests, ended stays and calls of the last seven
/// days are in it.
#[utoipa::path(
    get,
    path = "/api/sync/snapshot",
    tag = "sync",
    responses(
        (status = 200, content_type = "application/x-ndjson", body = Vec<Entity>),
        (status = "4XX", body = Refusal)
    ),
    security(("bearer" = []))
)]
pub async fn snapshot(State(app): State<App>, Who(who): Who) -> Result<impl IntoResponse, ApiError> {
    let site = who.site.id;
    let since = app.house.clock.now().saturating_sub(RECENT).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut tx = app.house.db.read(site).await?;
    let known = db::sites::find(&mut tx, site).await?.ok_or_else(|| ApiError::not_found("site"))?;
    let mut nouns = vec![Entity::from(known.site)];
    nouns.extend(db::people::all(&mut tx, site).await?.into_iter().map(Entity::from));
    nouns.extend(db::places::all(&mut tx, site).await?.into_iter().map(Entity::from));
    nouns.extend(db::guests::all(&mut tx, site).await?.into_iter().map(Entity::from));
    nouns.extend(db::stays::recent(&mut tx, site, since).await?.into_iter().map(Entity::from));
    nouns.extend(db::buttons::all(&mut tx, site).await?.into_iter().map(|known| Entity::from(known.button)));
    nouns.extend(db::requests::current(&mut tx, site, since).await?.into_iter().map(Entity::from));
    nouns.extend(db::calls::current(&mut tx, site, since).await?.into_iter().map(Entity::from));
    let event_id = db::entries::event_id(&mut tx, site, known.head).await?;
    let head = Head { seq: known.head, event_id, site: &who.site.slug, nouns: nouns.len() };
    let first = line(&head)?;
    let lines = nouns.chunks(CHUNK).map(line).collect::<Result<Vec<_>, _>>()?;
    let lines = std::iter::once(first).chain(lines).map(Ok::<_, std::convert::Infallible>);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream::iter(lines))))
}

fn line(value: &(impl Serialize + ?Sized)) -> Result<Bytes, ApiError> {
    let mut line = serde_json::to_vec(value).map_err(DbError::from)?;
    line.push(b'\n');
    Ok(line.into())
}
