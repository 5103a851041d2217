//! `GET /api/activity.csv`

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Source;
use futures_util::stream;

use super::activity::{Params, page};
use super::csv::record;
use super::extract::{CurrentUser, Query};
use super::{ApiError, App};
use crate::actions::ExportActivity;
use crate::auth::SignedIn;
use crate::db::entries::{EntryRow, Filter};

/// Maximum number of rows of an export. Older ones are exported by another request with `before`.
const ROWS: usize = 10_000;

/// Number of rows per read. Each read has a transaction of its own, so that a slow client holds no database connection.
const PAGE: usize = 500;

const COLUMNS: [&str; 10] =
    ["seq", "time", "category", "type", "actor", "source", "entity_type", "entity_id", "changed_fields", "payload"];

/// The activity as a table (RFC 4180): the newest 10,000 entries that match and are for the asker. Each export is
/// recorded in the log.
#[utoipa::path(
    get,
    path = "/api/activity.csv",
    tag = "activity",
    params(Params),
    responses((status = 200, content_type = "text/csv", body = String), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn activity_csv(
    State(app): State<App>,
    who: CurrentUser,
    Query(mut asked): Query<Params>,
) -> Result<impl IntoResponse, ApiError> {
    who.need(Right::ReadActivity)?;
    // The export ends at the current head. Later entries, such as the one about the export itself, are not in it.
    asked.before.get_or_insert(who.0.site.recent.head() + 1);
    let rows = asked.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(ROWS).clamp(1, ROWS);
    asked.limit = None;
    let told = serde_json::to_value(&asked).map_err(crate::db::DbError::from)?;
    // Validates before the export is logged and before the first line is sent.
    let filter = asked.filter(&app, &who.0.site).await?;
    who.0.site.act(Box::new(ExportActivity { filter: told }), who.actor(), Source::App).await?;
    let name = format!("attachment; filename=\"{}-activity.csv\"", who.0.site.slug);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    let export = Export { app, who: who.0, filter, left: rows, begun: false };
    Ok((headers, Body::from_stream(stream::try_unfold(export, Export::next))))
}

/// An export in progress.
struct Export {
    app: App,
    who: SignedIn,
    filter: Filter,
    left: usize,
    begun: bool,
}

impl Export {
    /// Returns the next part of the table; `None` after the last one.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Cut> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut csv = String::new();
        if !self.begun {
            record(&mut csv, COLUMNS);
            self.begun = true;
        }
        self.filter.limit = i64::try_from(self.left.min(PAGE)).unwrap_or(i64::MAX);
        let (rows, next) = page(&self.app, &self.who, self.filter.clone()).await.map_err(|error| Cut(error.0))?;
        for (seq, row) in &rows {
            entry(&mut csv, *seq, row);
        }
        self.left = if next.is_none() { 0 } else { self.left.saturating_sub(rows.len()) };
        self.filter.before = next;
        Ok(Some((csv.into(), self)))
    }
}

/// The error of an incomplete export. It aborts the connection, so that a client doesn't take the part for the whole.
#[derive(Debug, thiserror::Error)]
#[error("an export was cut: {0}")]
struct Cut(Refusal);

fn entry(csv: &mut String, seq: u64, row: &EntryRow) {
    let (entity_type, id) =
        row.entity.as_ref().map_or(("", String::new()), |(entity_type, id)| (entity_type.as_str(), id.to_string()));
    let (seq, at, changed) = (seq.to_string(), row.at.to_string(), row.changed_fields.join(" "));
    let cells: [&str; COLUMNS.len()] = [
        &seq,
        &at,
        &row.category,
        &row.kind,
        &row.actor_name,
        Source::as_str(row.source),
        entity_type,
        &id,
        &changed,
        row.payload.get(),
    ];
    record(csv, cells);
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::{Audience, EntityType};
    use jiff::Timestamp;
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_entry_is_one_record_with_a_cell_for_each_column() {
        let row = EntryRow {
            event_id: Uuid::nil().into(),
            at: Timestamp::UNIX_EPOCH,
            actor_id: None,
            actor_name: "=Gus".into(),
            source: Source::Device,
            category: "requests".into(),
            kind: "request_created".into(),
            entity: Some((EntityType::Request.into(), Uuid::nil())),
            changed_fields: vec!["state".into(), "accepted_at".into()],
            payload: RawValue::from_string(r#"{"text":"tea, please"}"#.into()).unwrap(),
            audience: Audience::Everyone,
            command_id: None,
        };
        let mut csv = String::new();
        entry(&mut csv, 7, &row);
        assert_eq!(
            csv,
            "\"7\",\"1970-01-01T00:00:00Z\",\"requests\",\"request_created\",\"'=Gus\",\"device\",\"request\",\
             \"00000000-0000-0000-0000-000000000000\",\"state accepted_at\",\"{\"\"text\"\":\"\"tea, please\"\"}\"\r\n"
        );
        assert_eq!(csv.matches("\",\"").count() + 1, COLUMNS.len());
    }
}
