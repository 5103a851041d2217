//! Rows and queries of voice calls.

use crewbell_shared::call::{About, Call, CallState, Outcome, Why};
use crewbell_shared::ids::{CallId, PersonId, SiteId};
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::{EntityType, EntityTypeName};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, LAST_DAY, named, sql, sql_opt};

struct Row {
    id: Uuid,
    caller: Uuid,
    caller_name: String,
    callee: Uuid,
    callee_name: String,
    about_type: Option<String>,
    about_id: Option<Uuid>,
    about_name: Option<String>,
    caller_endpoint: Option<Uuid>,
    callee_endpoint: Option<Uuid>,
    call_time: jiff_sqlx::Timestamp,
    rings_until: jiff_sqlx::Timestamp,
    seen_at: Option<jiff_sqlx::Timestamp>,
    state: String,
    answered_at: Option<jiff_sqlx::Timestamp>,
    ended_at: Option<jiff_sqlx::Timestamp>,
    ended_by: Option<Uuid>,
    ended_by_name: Option<String>,
    outcome: Option<String>,
    missed_why: Option<String>,
    duration_s: Option<i64>,
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, caller, caller_name, callee, callee_name, about_type, about_id, about_name, caller_endpoint, \
             callee_endpoint, call_time, rings_until, seen_at, state, answered_at, ended_at, ended_by, ended_by_name, \
             outcome, missed_why, duration_s from calls " + $tail,
            $($argument),*
        )
    };
}

/// Locks and loads calls by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Call>, DbError> {
    let rows =
        select!("where site_id is not distinct from $1 and id = any($2) order by id for no key update", site.0, ids);
    read(rows.fetch_all(conn).await?)
}

/// Locks and loads people's live calls. The people's locks exclude new ones meanwhile.
pub async fn lock_live_of(conn: &mut PgConnection, site: SiteId, people: &[Uuid]) -> Result<Vec<Call>, DbError> {
    let rows = select!(
        "where site_id is not distinct from $1 and state in ('ringing', 'ongoing') and (caller = any($2) or callee = any($2)) \
         order by id for no key update",
        site.0,
        people
    );
    read(rows.fetch_all(conn).await?)
}

/// Returns the ringing and ongoing calls.
pub async fn live(conn: &mut PgConnection, site: SiteId) -> Result<Vec<Call>, DbError> {
    read(select!("where site_id = $1 and state in ('ringing', 'ongoing')", site.0).fetch_all(conn).await?)
}

/// Returns one call.
pub async fn find(conn: &mut PgConnection, site: SiteId, id: CallId) -> Result<Option<Call>, DbError> {
    let row = select!("where site_id = $1 and id = $2", site.0, id.0).fetch_optional(conn).await?;
    row.map(|row| row.try_into().map_err(Into::into)).transpose()
}

/// Returns the live call between two people.
pub async fn live_between(
    conn: &mut PgConnection,
    site: SiteId,
    one: PersonId,
    other: PersonId,
) -> Result<Option<Call>, DbError> {
    let row = select!(
        "where site_id = $1 and state in ('ringing', 'ongoing') \
         and ((caller = $2 and callee = $3) or (caller = $3 and callee = $2))",
        site.0,
        one.0,
        other.0
    );
    row.fetch_optional(conn).await?.map(|row| row.try_into().map_err(Into::into)).transpose()
}

/// Returns a snapshot's calls: ringing, ongoing, missed and unseen ones, and all made since a time.
pub async fn current(conn: &mut PgConnection, site: SiteId, since: Timestamp) -> Result<Vec<Call>, DbError> {
    let rows = select!(
        "where site_id = $1 and (call_time >= $2 or state in ('ringing', 'ongoing') or (state = 'ended' \
         and answered_at is null and outcome <> 'rejected' and seen_at is null)) order by call_time, id",
        site.0,
        sql(since) as _
    );
    read(rows.fetch_all(conn).await?)
}

/// Returns a person's unseen missed calls, newest first.
pub async fn unseen(conn: &mut PgConnection, site: SiteId, person: PersonId, limit: i64) -> Result<Vec<Call>, DbError> {
    let rows = select!(
        "where site_id = $1 and callee = $2 and state = 'ended' and answered_at is null and outcome <> 'rejected' \
         and seen_at is null order by call_time desc, id limit $3",
        site.0,
        person.0,
        limit
    );
    read(rows.fetch_all(conn).await?)
}

/// Counts a person's unseen missed calls.
pub async fn count_unseen(conn: &mut PgConnection, site: SiteId, person: PersonId) -> Result<i64, DbError> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from calls where site_id = $1 and callee = $2 and state = 'ended' \
         and answered_at is null and outcome <> 'rejected' and seen_at is null",
        site.0,
        person.0
    );
    Ok(count.fetch_one(conn).await?)
}

/// Returns the ids of the calls about an entity.
pub async fn about(conn: &mut PgConnection, site: SiteId, id: Uuid) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!("select id from calls where site_id = $1 and about_id = $2", site.0, id);
    Ok(ids.fetch_all(conn).await?)
}

/// Filter of a list of calls; a field of `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Calls made or received by this person.
    pub person: Option<PersonId>,
    /// Calls about this entity.
    pub about: Option<Uuid>,
    /// Calls in this state.
    pub state: Option<String>,
    /// Calls made from this time on.
    pub from: Option<Timestamp>,
    /// Calls made before this time: the page's end, exclusive.
    pub before: Option<Timestamp>,
    /// Maximum number, plus those made at the same moment as the last.
    pub limit: i64,
}

/// Returns a page of calls, newest first.
pub async fn list(conn: &mut PgConnection, site: SiteId, filter: &Filter) -> Result<Vec<Call>, DbError> {
    let rows = select!(
        "where site_id = $1 and ($2::uuid is null or caller = $2 or callee = $2) \
         and ($3::uuid is null or about_id = $3) and ($4::text is null or state = $4) and call_time >= $5 \
         and call_time < $6 order by call_time desc fetch first $7 rows with ties",
        site.0,
        filter.person.map(|person| person.0) as _,
        filter.about as _,
        filter.state.as_deref(),
        sql(filter.from.unwrap_or(Timestamp::UNIX_EPOCH)) as _,
        sql(filter.before.unwrap_or(LAST_DAY)) as _,
        filter.limit
    );
    read(rows.fetch_all(conn).await?)
}

/// The facts of a state, as columns.
#[derive(Default)]
struct Facts<'a> {
    answered_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    ended_by: Option<&'a PersonRef>,
    outcome: Option<Outcome>,
    duration_s: Option<u32>,
}

impl<'a> Facts<'a> {
    fn of(state: &'a CallState) -> Self {
        match state {
            CallState::Ringing => Self::default(),
            CallState::Ongoing { answered_at, callee_endpoint: _ } => {
                Self { answered_at: Some(*answered_at), ..Self::default() }
            }
            CallState::Ended { answered_at, ended_at, ended_by, outcome, duration_s } => Self {
                answered_at: *answered_at,
                ended_at: Some(*ended_at),
                ended_by: ended_by.as_ref(),
                outcome: Some(*outcome),
                duration_s: Some(*duration_s),
            },
        }
    }
}

/// Inserts or updates a call. The callee's endpoint is kept when the call has ended.
pub async fn save(conn: &mut PgConnection, site: SiteId, call: &Call) -> Result<(), DbError> {
    let facts = Facts::of(&call.state);
    let about_type = call.about.as_ref().map(|about| match &about.entity_type {
        EntityTypeName::Known(entity_type) => entity_type.as_str(),
        EntityTypeName::Foreign(entity_type) => entity_type.as_str(),
    });
    sqlx::query!(
        "insert into calls (site_id, id, caller, caller_name, callee, callee_name, about_type, about_id, about_name, \
         caller_endpoint, callee_endpoint, call_time, rings_until, seen_at, state, answered_at, ended_at, ended_by, \
         ended_by_name, outcome, missed_why, duration_s) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
         on conflict on constraint calls_pk do update set \
         callee_endpoint = coalesce(excluded.callee_endpoint, calls.callee_endpoint), seen_at = excluded.seen_at, \
         state = excluded.state, answered_at = excluded.answered_at, ended_at = excluded.ended_at, \
         ended_by = excluded.ended_by, ended_by_name = excluded.ended_by_name, outcome = excluded.outcome, \
         missed_why = excluded.missed_why, duration_s = excluded.duration_s",
        site.0,
        call.id.0,
        call.caller.id.0,
        call.caller.name,
        call.callee.id.0,
        call.callee.name,
        about_type,
        call.about.as_ref().map(|about| about.id),
        call.about.as_ref().map(|about| about.name.as_str()),
        call.caller_endpoint.map(|endpoint| endpoint.0),
        call.callee_endpoint().map(|endpoint| endpoint.0),
        sql(call.call_time) as _,
        sql(call.rings_until) as _,
        sql_opt(call.seen_at) as _,
        call.state.as_str(),
        sql_opt(facts.answered_at) as _,
        sql_opt(facts.ended_at) as _,
        facts.ended_by.map(|by| by.id.0),
        facts.ended_by.map(|by| by.name.as_str()),
        facts.outcome.map(Outcome::as_str),
        facts.outcome.and_then(Outcome::why).map(Why::as_str),
        facts.duration_s.map(i64::from)
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn read(rows: Vec<Row>) -> Result<Vec<Call>, DbError> {
    rows.into_iter().map(|row| row.try_into().map_err(Into::into)).collect()
}

impl TryFrom<Row> for Call {
    type Error = BadRow;

    fn try_from(row: Row) -> Result<Self, BadRow> {
        let state = state(&row)?;
        let about = row.about_type.zip(row.about_id).zip(row.about_name).map(|((entity_type, id), name)| {
            let known = EntityType::ALL.iter().find(|known| known.as_str() == entity_type);
            About {
                entity_type: known.map_or(EntityTypeName::Foreign(entity_type), |known| EntityTypeName::Known(*known)),
                id,
                name,
            }
        });
        Ok(Self {
            id: row.id.into(),
            caller: PersonRef { id: row.caller.into(), name: row.caller_name },
            callee: PersonRef { id: row.callee.into(), name: row.callee_name },
            about,
            caller_endpoint: row.caller_endpoint.map(Into::into),
            call_time: row.call_time.to_jiff(),
            rings_until: row.rings_until.to_jiff(),
            seen_at: row.seen_at.map(jiff_sqlx::Timestamp::to_jiff),
            state,
        })
    }
}

fn state(row: &Row) -> Result<CallState, BadRow> {
    let bad = |what: &str| BadRow::new("calls", row.id, format!("{} without {what}", row.state));
    let answered_at = row.answered_at.map(jiff_sqlx::Timestamp::to_jiff);
    match row.state.as_str() {
        "ringing" => Ok(CallState::Ringing),
        "ongoing" => Ok(CallState::Ongoing {
            answered_at: answered_at.ok_or_else(|| bad("an answer"))?,
            callee_endpoint: row.callee_endpoint.map(Into::into),
        }),
        "ended" => {
            let by = row.ended_by.zip(row.ended_by_name.as_ref());
            let duration_s = row.duration_s.ok_or_else(|| bad("a duration"))?;
            Ok(CallState::Ended {
                answered_at,
                ended_at: row.ended_at.ok_or_else(|| bad("an end"))?.to_jiff(),
                ended_by: by.map(|(id, name)| PersonRef { id: id.into(), name: name.clone() }),
                outcome: outcome(row)?,
                duration_s: u32::try_from(duration_s).unwrap_or(u32::MAX),
            })
        }
        other => Err(BadRow::new("calls", row.id, format!("what is {other:?}?"))),
    }
}

fn outcome(row: &Row) -> Result<Outcome, BadRow> {
    let bad = |why: String| BadRow::new("calls", row.id, why);
    match row.outcome.as_deref() {
        Some("completed") => Ok(Outcome::Completed),
        Some("missed") => {
            let all = [Why::NoAnswer, Why::Busy, Why::InCall, Why::Offline];
            let why = row.missed_why.as_deref().ok_or_else(|| bad("missed without a reason".to_owned()))?;
            Ok(Outcome::Missed { why: named(&all, Why::as_str, why, "calls", row.id)? })
        }
        Some("rejected") => Ok(Outcome::Rejected),
        Some("cancelled") => Ok(Outcome::Cancelled),
        Some("dropped") => Ok(Outcome::Dropped),
        Some(other) => Err(bad(format!("what is {other:?}?"))),
        None => Err(bad(format!("{} without an outcome", row.state))),
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::at;

    use super::*;

    #[test]
    fn an_outcome_that_can_t_be_read_is_named_as_it_stands_in_the_row() {
        let missed = |outcome: Option<&str>, missed_why: Option<&str>| Row {
            id: Uuid::from_u128(1),
            caller: Uuid::from_u128(2),
            caller_name: "Sam".to_owned(),
            callee: Uuid::from_u128(3),
            callee_name: "Siri".to_owned(),
            about_type: None,
            about_id: None,
            about_name: None,
            caller_endpoint: None,
            callee_endpoint: None,
            call_time: sql(at(0)),
            rings_until: sql(at(60)),
            seen_at: None,
            state: "ended".to_owned(),
            answered_at: None,
            ended_at: Some(sql(at(60))),
            ended_by: None,
            ended_by_name: None,
            outcome: outcome.map(str::to_owned),
            missed_why: missed_why.map(str::to_owned),
            duration_s: Some(0),
        };
        let read = |row: Row| Call::try_from(row).map(|call| call.state).map_err(|bad| (bad.table, bad.id, bad.why));
        let bad = |why: &str| Err(("calls", Uuid::from_u128(1), why.to_owned()));
        assert_eq!(read(missed(Some("missed"), Some("asleep"))), bad("what is \"asleep\"?"));
        assert_eq!(read(missed(Some("missed"), None)), bad("missed without a reason"));
        assert_eq!(read(missed(Some("lost"), None)), bad("what is \"lost\"?"));
        assert_eq!(read(missed(None, None)), bad("ended without an outcome"));
        for why in [Why::NoAnswer, Why::Busy, Why::InCall, Why::Offline] {
            let state = read(missed(Some("missed"), Some(why.as_str())));
            assert!(matches!(state, Ok(CallState::Ended { outcome, .. }) if outcome == Outcome::Missed { why }));
        }
    }
}
