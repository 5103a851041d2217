//! `GET /api/sync/entries`

use axum::Json;
use axum::extract::State;
use crewbell_shared::protocol::Entry;
use crewbell_shared::{Code, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::db::{self, sites};
use crate::http::extract::{Query, Who};
use crate::http::requests::get::envelopes;
use crate::http::{ApiError, App};

/// Entries that are read for one page at most; those for others are left out of it.
const PAGE: i64 = 1000;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The last entry that the client has; 0 for the whole log.
    after: u64,
}

/// What followed.
#[derive(Serialize, ToSchema)]
pub struct Entries {
    /// The entries that are for the asker, oldest first.
    #[schema(value_type = Vec<Entry>)]
    entries: Vec<Box<RawValue>>,
    /// How far this page reaches: the cursor of the next.
    cursor: u64,
    /// The last entry of the log; the client is up to date when its cursor is there.
    head: u64,
}

/// The entries after a cursor, a page at a time. A cursor that is older than the log, or newer than its head (the
/// server was restored from a backup), is answered with `snapshot_needed`.
#[utoipa::path(
    get,
    path = "/api/sync/entries",
    tag = "sync",
    params(Asked),
    responses((status = 200, body = Entries), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn entries(
    State(app): State<App>,
    Who(who): Who,
    Query(Asked { after }): Query<Asked>,
) -> Result<Json<Entries>, ApiError> {
    let mut tx = app.house.db.read(who.site.id).await?;
    let (first, head) = sites::extent(&mut tx, who.site.id).await?;
    if after.saturating_add(1) < first || after > head {
        let message = "The log doesn't reach back to that entry, or not yet up to it.";
        return Err(Refusal::new(Code::SnapshotNeeded, message).with("first", &first).with("head", &head).into());
    }
    let rows = db::entries::after(&mut tx, who.site.id, after, PAGE).await?;
    let cursor = rows.last().map_or(head, |(seq, _)| *seq);
    let mine = rows.into_iter().filter(|(_, row)| row.audience.includes(&who.person)).collect();
    Ok(Json(Entries { entries: envelopes(&who.site.slug, mine)?, cursor, head }))
}
