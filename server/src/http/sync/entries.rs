//! `GET /api/sync/entries`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::EventId;
use crewbell_shared::protocol::Entry;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::db::{self, sites};
use crate::http::extract::{CurrentUser, Query};
use crate::http::requests::get::envelopes;
use crate::http::{ApiError, App};
use crate::live::refusal_from_read_error;
use crate::log::ReadError;

/// Maximum number of entries read for a page, fewer if they are large. Those for others are then filtered out.
const PAGE: i64 = 1000;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The last entry that the client has; 0 for the whole log.
    after: u64,
    /// That entry's event id. It reveals a log that was restored from a backup and has grown past the entry again.
    event_id: Option<EventId>,
}

/// What followed.
#[derive(Serialize, ToSchema)]
pub struct Entries {
    /// The entries that are for the asker, oldest first.
    #[schema(value_type = Vec<Entry>)]
    entries: Vec<Box<RawValue>>,
    /// How far this page reaches: the cursor of the next.
    cursor: u64,
    /// The event id of the entry at that cursor, whoever it is for; none at 0, and where the entry is archived.
    event_id: Option<EventId>,
    /// The last entry of the log; the client is up to date when its cursor is there.
    head: u64,
}

/// The entries after a cursor, a page at a time: a thousand of the log, or as many as make a MiB. A cursor that is
/// older than the log is answered with `snapshot_needed`; so is one that is newer than its head, or whose entry has
/// another event id (the server was restored from a backup), with `details.restored`.
#[utoipa::path(
    get,
    path = "/api/sync/entries",
    tag = "sync",
    params(Params),
    responses((status = 200, body = Entries), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn entries(
    State(app): State<App>,
    CurrentUser(who): CurrentUser,
    Query(Params { after, event_id }): Query<Params>,
) -> Result<Json<Entries>, ApiError> {
    let site = who.site.id;
    let mut tx = app.registry.db.read(site).await?;
    let (first, head) = sites::extent(&mut tx, site).await?;
    let mut restored = after > head;
    if let Some(expected) = event_id {
        let found = db::entries::event_id(&mut tx, site, after).await?;
        restored |= found.is_some_and(|found| found != expected);
    }
    if restored || after.saturating_add(1) < first {
        return Err(refusal_from_read_error(&ReadError::SnapshotNeeded { cursor: after, first, head, restored }).into());
    }
    let rows = db::entries::after(&mut tx, site, after, PAGE).await?;
    let (cursor, event_id) = match rows.last() {
        Some((seq, row)) => (*seq, Some(row.event_id)),
        None => (head, db::entries::event_id(&mut tx, site, head).await?),
    };
    let mine = rows.into_iter().filter(|(_, row)| row.audience.includes(&who.person)).collect();
    Ok(Json(Entries { entries: envelopes(&who.site.slug, mine)?, cursor, event_id, head }))
}
