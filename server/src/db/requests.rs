//! Rows and queries of requests.

use crewbell_shared::ids::{PersonId, PlaceId, RequestId, SiteId};
use crewbell_shared::person::PersonRef;
use crewbell_shared::request::{Acceptance, Kind, Priority, Request, RequestState};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, LAST_DAY, named, sql};

struct Row {
    id: Uuid,
    place_id: Uuid,
    place_name: String,
    guest_id: Option<Uuid>,
    button_id: Option<Uuid>,
    created_by: Option<Uuid>,
    created_by_name: Option<String>,
    created_at: jiff_sqlx::Timestamp,
    kind: String,
    service: Option<String>,
    priority: String,
    text: Option<String>,
    press_count: i32,
    last_press_id: Option<String>,
    last_press_at: Option<jiff_sqlx::Timestamp>,
    voice: Option<serde_json::Value>,
    held: Option<serde_json::Value>,
    notes: serde_json::Value,
    state: String,
    accepted_by: Option<Uuid>,
    accepted_by_name: Option<String>,
    accepted_at: Option<jiff_sqlx::Timestamp>,
    closed_by: Option<Uuid>,
    closed_by_name: Option<String>,
    closed_at: Option<jiff_sqlx::Timestamp>,
    cancel_reason: Option<String>,
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, place_id, place_name, guest_id, button_id, created_by, created_by_name, created_at, kind, \
             service, priority, text, press_count, last_press_id, last_press_at, voice, notes, state, accepted_by, \
             accepted_by_name, accepted_at, closed_by, closed_by_name, closed_at, cancel_reason, held from requests " + $tail,
            $($argument),*
        )
    };
}

/// Locks and loads requests by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Request>, DbError> {
    let rows =
        select!("where site_id is not distinct from $1 and id = any($2) order by id for no key update", site.0, ids);
    read(rows.fetch_all(conn).await?)
}

/// Locks and loads the requests of places that a further press may join: open ones pressed since a time, and accepted
/// ones accepted since another.
pub async fn lock_live_at(
    conn: &mut PgConnection,
    site: SiteId,
    places: &[Uuid],
    pressed_since: Timestamp,
    taken_since: Timestamp,
) -> Result<Vec<Request>, DbError> {
    let rows = select!(
        "where site_id is not distinct from $1 and place_id = any($2) and state in ('open', 'accepted') \
         and ((state = 'open' and last_press_at >= $3) or (state = 'accepted' and accepted_at >= $4)) \
         order by id for no key update",
        site.0,
        places,
        sql(pressed_since) as _,
        sql(taken_since) as _
    );
    read(rows.fetch_all(conn).await?)
}

/// Returns the ids of the same requests, without locks.
pub async fn ids_live_at(
    conn: &mut PgConnection,
    site: SiteId,
    places: &[Uuid],
    pressed_since: Timestamp,
    taken_since: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!(
        "select id from requests where site_id is not distinct from $1 and place_id = any($2) \
         and state in ('open', 'accepted') \
         and ((state = 'open' and last_press_at >= $3) or (state = 'accepted' and accepted_at >= $4))",
        site.0,
        places,
        sql(pressed_since) as _,
        sql(taken_since) as _
    );
    Ok(ids.fetch_all(conn).await?)
}

/// Returns the id of the request that a recording belongs to: a button's newest voice request, created or pressed again
/// since a time. It takes no lock.
///
/// Two queries, each with an index of its own: a single one with "or" would read all of the button's requests.
pub async fn id_of_voice(
    conn: &mut PgConnection,
    site: SiteId,
    device: &str,
    since: Timestamp,
) -> Result<Option<Uuid>, DbError> {
    let id = sqlx::query_scalar!(
        "with button as (select id from buttons where site_id is not distinct from $1 and device = $2) \
         select id as \"id!\" from (select id, coalesce(last_press_at, created_at) as at from requests \
         where site_id is not distinct from $1 and button_id = (select id from button) and voice is not null \
         and created_at >= $3 union all \
         select id, last_press_at from requests \
         where site_id is not distinct from $1 and button_id = (select id from button) and voice is not null \
         and state in ('open', 'accepted') and last_press_at >= $3) as spoken order by at desc limit 1",
        site.0,
        device,
        sql(since) as _
    );
    Ok(id.fetch_optional(conn).await?)
}

/// Returns the ids of the requests that people have accepted, without locks.
pub async fn ids_held_by(conn: &mut PgConnection, site: SiteId, people: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!(
        "select id from requests where site_id is not distinct from $1 and accepted_by = any($2) and state = 'accepted'",
        site.0,
        people
    );
    Ok(ids.fetch_all(conn).await?)
}

/// Returns one request.
pub async fn find(conn: &mut PgConnection, site: SiteId, id: RequestId) -> Result<Option<Request>, DbError> {
    let row = select!("where site_id = $1 and id = $2", site.0, id.0).fetch_optional(conn).await?;
    row.map(|row| row.try_into().map_err(Into::into)).transpose()
}

/// Returns a snapshot's requests: all open and accepted ones, and those closed since a time, the oldest first.
///
/// By the time of closing, as devices forget them ([`SiteSettings::keeps_closed_for`]).
///
/// [`SiteSettings::keeps_closed_for`]: crewbell_shared::site::SiteSettings::keeps_closed_for
pub async fn current(conn: &mut PgConnection, site: SiteId, since: Timestamp) -> Result<Vec<Request>, DbError> {
    let rows = select!(
        "where site_id = $1 and ((state in ('open', 'accepted') and created_at > '-infinity') or closed_at >= $2) \
         order by created_at",
        site.0,
        sql(since) as _
    );
    read(rows.fetch_all(conn).await?)
}

/// Filter of a list of requests; a field of `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Requests in this state.
    pub state: Option<String>,
    /// Requests of this place.
    pub place: Option<PlaceId>,
    /// Requests accepted by this person.
    pub person: Option<PersonId>,
    /// Requests created from this time on.
    pub from: Option<Timestamp>,
    /// Requests created before this time: the page's end, exclusive.
    pub before: Option<Timestamp>,
    /// Maximum number, plus those created at the same moment as the last.
    pub limit: i64,
}

/// Returns a page of requests, newest first.
///
/// Each combination of filters has a statement of its own, so that each uses its index.
pub async fn list(conn: &mut PgConnection, site: SiteId, filter: &Filter) -> Result<Vec<Request>, DbError> {
    let from = sql(filter.from.unwrap_or(Timestamp::UNIX_EPOCH));
    let before = sql(filter.before.unwrap_or(LAST_DAY));
    let (state, limit) = (filter.state.as_deref(), filter.limit);
    let rows = match (filter.place, filter.person, state) {
        (Some(place), person, _) => {
            select!(
                "where site_id = $1 and place_id = $2 and created_at >= $3 and created_at < $4 \
                 and ($5::text is null or state = $5) and ($6::uuid is null or accepted_by = $6) \
                 order by created_at desc fetch first $7 rows with ties",
                site.0,
                place.0,
                from as _,
                before as _,
                state,
                person.map(|person| person.0) as _,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, Some(person), _) => {
            select!(
                "where site_id = $1 and accepted_by = $2 and created_at >= $3 and created_at < $4 \
                 and ($5::text is null or state = $5) order by created_at desc fetch first $6 rows with ties",
                site.0,
                person.0,
                from as _,
                before as _,
                state,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, None, Some("open" | "accepted")) => {
            select!(
                "where site_id = $1 and created_at >= $2 and created_at < $3 and state in ('open', 'accepted') \
                 and state = $4 order by created_at desc fetch first $5 rows with ties",
                site.0,
                from as _,
                before as _,
                state,
                limit
            )
            .fetch_all(conn)
            .await?
        }
        (None, None, _) => {
            select!(
                "where site_id = $1 and created_at >= $2 and created_at < $3 and ($4::text is null or state = $4) \
                 order by created_at desc fetch first $5 rows with ties",
                site.0,
                from as _,
                before as _,
                state,
                limit
            )
            .fetch_all(conn)
            .await?
        }
    };
    read(rows)
}

/// The facts of a state, as columns.
#[derive(Default)]
pub(super) struct Facts<'a> {
    pub(super) accepted_by: Option<Uuid>,
    pub(super) accepted_by_name: Option<&'a str>,
    pub(super) accepted_at: Option<jiff_sqlx::Timestamp>,
    pub(super) closed_by: Option<Uuid>,
    pub(super) closed_by_name: Option<&'a str>,
    pub(super) closed_at: Option<jiff_sqlx::Timestamp>,
    pub(super) cancel_reason: Option<&'a str>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(state: &'a RequestState) -> Self {
        match state {
            RequestState::Open => Self::default(),
            RequestState::Accepted(acceptance) => Self::default().accepted(Some(acceptance)),
            RequestState::Completed { acceptance, completed_by, completed_at } => {
                Self::default().accepted(Some(acceptance)).closed(completed_by, *completed_at)
            }
            RequestState::Cancelled { acceptance, cancelled_by, cancelled_at, cancel_reason } => {
                let facts = Self::default().accepted(acceptance.as_ref()).closed(cancelled_by, *cancelled_at);
                Self { cancel_reason: cancel_reason.as_deref(), ..facts }
            }
        }
    }

    fn accepted(self, acceptance: Option<&'a Acceptance>) -> Self {
        Self {
            accepted_by: acceptance.map(|acceptance| acceptance.accepted_by.id.0),
            accepted_by_name: acceptance.map(|acceptance| acceptance.accepted_by.name.as_str()),
            accepted_at: acceptance.map(|acceptance| sql(acceptance.accepted_at)),
            ..self
        }
    }

    fn closed(self, by: &'a PersonRef, at: Timestamp) -> Self {
        Self { closed_by: Some(by.id.0), closed_by_name: Some(&by.name), closed_at: Some(sql(at)), ..self }
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Request>, DbError> {
    rows.into_iter().map(|row| row.try_into().map_err(Into::into)).collect()
}

fn person(id: Option<Uuid>, name: Option<String>) -> Option<PersonRef> {
    id.zip(name).map(|(id, name)| PersonRef { id: id.into(), name })
}

impl TryFrom<Row> for Request {
    type Error = BadRow;

    fn try_from(row: Row) -> Result<Self, BadRow> {
        let id = row.id;
        let bad = |why: &str| BadRow::new("requests", id, why);
        let acceptance = person(row.accepted_by, row.accepted_by_name)
            .zip(row.accepted_at)
            .map(|(accepted_by, at)| Acceptance { accepted_by, accepted_at: at.to_jiff() });
        let closed = person(row.closed_by, row.closed_by_name).zip(row.closed_at.map(jiff_sqlx::Timestamp::to_jiff));
        let state = match row.state.as_str() {
            "open" => RequestState::Open,
            "accepted" => RequestState::Accepted(acceptance.ok_or_else(|| bad("accepted by nobody"))?),
            "completed" => {
                let (completed_by, completed_at) = closed.ok_or_else(|| bad("completed by nobody"))?;
                let acceptance = acceptance.ok_or_else(|| bad("completed and never accepted"))?;
                RequestState::Completed { acceptance, completed_by, completed_at }
            }
            "cancelled" => {
                let (cancelled_by, cancelled_at) = closed.ok_or_else(|| bad("cancelled by nobody"))?;
                RequestState::Cancelled { acceptance, cancelled_by, cancelled_at, cancel_reason: row.cancel_reason }
            }
            other => return Err(bad(&format!("what is {other:?}?"))),
        };
        let json = |error: serde_json::Error| BadRow::new("requests", id, error.to_string());
        Ok(Self {
            id: id.into(),
            place_id: row.place_id.into(),
            place_name: row.place_name,
            guest_id: row.guest_id.map(Into::into),
            button_id: row.button_id.map(Into::into),
            created_by: person(row.created_by, row.created_by_name),
            created_at: row.created_at.to_jiff(),
            kind: named(&Kind::ALL, Kind::as_str, &row.kind, "requests", id)?,
            service: row.service,
            priority: named(&Priority::ALL, Priority::as_str, &row.priority, "requests", id)?,
            text: row.text,
            press_count: row.press_count.unsigned_abs(),
            last_press_id: row.last_press_id,
            last_press_at: row.last_press_at.map(jiff_sqlx::Timestamp::to_jiff),
            voice: row.voice.map(serde_json::from_value).transpose().map_err(json)?,
            held: row.held.map(serde_json::from_value).transpose().map_err(json)?,
            notes: serde_json::from_value(row.notes).map_err(json)?,
            state,
        })
    }
}
