//! `GET /api/activity`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{Query, Who};
use super::requests::get::envelopes;
use super::{ApiError, App};
use crate::auth::SignedIn;
use crate::db::entries::{self, EntryRow, Filter};

/// Entries on one page at most.
const PAGE: i64 = 500;

/// Entries that are read at once when few of them are for the asker.
const AT_ONCE: i64 = 100;

/// Reads for one page at most; then it is answered with what there is, and where to go on.
const READS: usize = 20;

/// What to look for; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Before this entry: the next page begins at the last page's `next_before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<u64>,
    /// From this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    /// Until this time, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Timestamp>,
    /// Of this category: `requests`, `buttons`, `people`.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// By this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<PersonId>,
    /// About this request, button, place, guest, stay or person.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_id: Option<Uuid>,
    /// With these words in who, what or which, whatever their case.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    /// At most so many: on a page 1 to 500, and 100 when not given; in an export 1 to 10,000, and so many when not
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<i64>,
}

impl From<Asked> for Filter {
    fn from(asked: Asked) -> Self {
        Self {
            before: asked.before,
            from: asked.from,
            to: asked.to,
            category: asked.category,
            actor: asked.actor_id,
            entity: asked.entity_id,
            words: asked.q.filter(|words| !words.trim().is_empty()),
            limit: asked.limit.unwrap_or(100).clamp(1, PAGE),
        }
    }
}

/// A page of the activity.
#[derive(Serialize, ToSchema)]
pub struct Activity {
    /// The entries that are for the asker, newest first.
    #[schema(value_type = Vec<Entry>)]
    items: Vec<Box<RawValue>>,
    /// Where the next page begins; none on the last one.
    next_before: Option<u64>,
}

/// What happened at the site, newest first: from the log and its archives, and only what is for the asker.
#[utoipa::path(
    get,
    path = "/api/activity",
    tag = "activity",
    params(Asked),
    responses((status = 200, body = Activity), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn activity(
    State(app): State<App>,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Activity>, ApiError> {
    who.need(Right::ReadActivity)?;
    let (rows, next_before) = page(&app, &who.0, asked.into()).await?;
    Ok(Json(Activity { items: envelopes(&who.0.site.slug, rows)?, next_before }))
}

/// A page of what somebody may see, and where the next one begins. Entries for others are passed over, so that a page
/// is full although some of what was read is not for the asker.
pub(super) async fn page(
    app: &App,
    who: &SignedIn,
    filter: Filter,
) -> Result<(Vec<(u64, EntryRow)>, Option<u64>), ApiError> {
    let wanted = usize::try_from(filter.limit).unwrap_or_default();
    let mut filter = Filter { limit: filter.limit.max(AT_ONCE), ..filter };
    let mut page = Vec::with_capacity(wanted);
    let mut tx = app.house.db.read(who.site.id).await?;
    for _ in 0..READS {
        let rows = entries::activity(&mut tx, who.site.id, &filter).await?;
        let last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < filter.limit;
        filter.before = rows.last().map(|(seq, _)| *seq);
        page.extend(rows.into_iter().filter(|(_, row)| row.audience.includes(&who.person)));
        if page.len() > wanted {
            page.truncate(wanted);
            let next = page.last().map(|(seq, _)| *seq);
            return Ok((page, next));
        }
        if last {
            return Ok((page, None));
        }
        if page.len() == wanted {
            break;
        }
    }
    Ok((page, filter.before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_never_empty_by_its_limit_and_never_endless() {
        for (asked, given) in [(None, 100), (Some(0), 1), (Some(-7), 1), (Some(30), 30), (Some(9999), 500)] {
            assert_eq!(Filter::from(Asked { limit: asked, ..Asked::default() }).limit, given, "{asked:?}");
        }
    }

    #[test]
    fn words_that_are_none_match_all() {
        let words = |q: &str| Filter::from(Asked { q: Some(q.into()), ..Asked::default() }).words;
        assert_eq!(words("  "), None);
        assert_eq!(words("Gus"), Some("Gus".into()));
    }
}
