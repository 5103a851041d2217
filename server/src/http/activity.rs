//! `GET /api/activity`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Entry;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::extract::{CurrentUser, Query};
use super::requests::get::envelopes;
use super::texts::fits;
use super::when::{When, span};
use super::{ApiError, App};
use crate::auth::SignedIn;
use crate::db::entries::{self, EntryRow, Filter};
use crate::site_registry::OpenSite;

/// Maximum number of entries on a page.
const PAGE: i64 = 500;

/// Minimum number of entries per read, for when few of them are visible to the caller.
const AT_ONCE: i64 = 100;

/// Maximum number of reads for a page. After that, the page is returned as it is, with the cursor of the next.
const READS: usize = 20;

/// What to look for; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Before this entry: the next page begins at the last page's `next_before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<u64>,
    /// From this time on; or from the beginning of this day (`2026-11-21`) in the site's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(schema_with = super::when::schema, required = false)]
    from: Option<When>,
    /// Until this time, exclusive; or until the end of this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(schema_with = super::when::schema, required = false)]
    to: Option<When>,
    /// Of this category: `requests`, `buttons`, `people`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 64)]
    category: Option<String>,
    /// By this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<PersonId>,
    /// About this request, button, place, guest, stay or person.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_id: Option<Uuid>,
    /// With these words in who, what or which, whatever their case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 200)]
    q: Option<String>,
    /// At most so many: on a page 1 to 500, and 100 when not given; in an export 1 to 10,000, and so many when not
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<i64>,
}

impl Params {
    /// Builds the database filter, with days in the site's time zone.
    ///
    /// # Errors
    /// Returns `invalid` for values that no entry can have, or an error if the database is unavailable.
    pub(super) async fn filter(self, app: &App, site: &OpenSite) -> Result<Filter, ApiError> {
        fits("category", self.category.as_deref(), 64)?;
        fits("q", self.q.as_deref(), 200)?;
        if self.before.is_some_and(|before| i64::try_from(before).is_err()) {
            return Err(Refusal::invalid("before", "No entry has such a number.").into());
        }
        let (from, to) = span(&app.registry.db, site, self.from, self.to).await?;
        Ok(Filter {
            before: self.before,
            from,
            to,
            category: self.category,
            actor: self.actor_id,
            entity: self.entity_id,
            words: words(self.q),
            limit: limit(self.limit),
        })
    }
}

fn words(asked: Option<String>) -> Option<String> {
    asked.filter(|words| !words.trim().is_empty())
}

fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(100).clamp(1, PAGE)
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
    params(Params),
    responses((status = 200, body = Activity), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn activity(
    State(app): State<App>,
    who: CurrentUser,
    Query(asked): Query<Params>,
) -> Result<Json<Activity>, ApiError> {
    who.need(Right::ReadActivity)?;
    let (rows, next_before) = page(&app, &who.0, asked.filter(&app, &who.0.site).await?).await?;
    Ok(Json(Activity { items: envelopes(&who.0.site.slug, rows)?, next_before }))
}

/// Reads a page of the entries that a person may see, and the cursor of the next page. Reading continues past entries
/// for others, so that the page is full nevertheless.
pub(super) async fn page(
    app: &App,
    who: &SignedIn,
    filter: Filter,
) -> Result<(Vec<(u64, EntryRow)>, Option<u64>), ApiError> {
    let wanted = usize::try_from(filter.limit).unwrap_or_default();
    let mut filter = Filter { limit: filter.limit.max(AT_ONCE), ..filter };
    let mut page = Vec::with_capacity(wanted);
    let mut tx = app.registry.db.read(who.site.id).await?;
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
            assert_eq!(limit(asked), given, "{asked:?}");
        }
    }

    #[test]
    fn words_that_are_none_match_all() {
        assert_eq!(words(Some("  ".into())), None);
        assert_eq!(words(Some("Gus".into())), Some("Gus".into()));
    }
}
