//! The last statement of every writing transaction: it appends to the log, and stores what a press changes.
//!
//! One statement rather than four, because on the press path each round trip to the database takes as long as the flush
//! to disk.

use crewbell_shared::ids::SiteId;
use crewbell_shared::protocol::Audience;
use crewbell_shared::request::Request;
use serde::Serialize;
use sqlx::PgConnection;

use super::buttons::KnownButton;
use super::entries::EntryRow;
use super::presses::Press;
use super::requests::Facts;
use super::{DbError, sql, sql_opt};

/// The rows stored by the statement.
#[derive(Clone, Copy, Debug)]
pub struct Appended<'a> {
    /// Buttons of which only the dedup state and the last-heard time are stored.
    pub remembered: &'a [KnownButton],
    /// Requests to be saved.
    pub requests: &'a [&'a Request],
    /// Presses to be recorded.
    pub presses: &'a [Press],
    /// The entries.
    pub entries: &'a [EntryRow],
}

macro_rules! column {
    ($rows:expr, $row:ident => $value:expr) => {
        &$rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

/// Serialises the present values to JSON.
fn texts<'a, T: Serialize + 'a>(
    values: impl Iterator<Item = Option<&'a T>>,
) -> Result<Vec<Option<String>>, serde_json::Error> {
    values.map(|value| value.map(serde_json::to_string).transpose()).collect()
}

/// Stores the rows, appends the entries, and returns the sequence number of the last entry.
///
/// The statement locks the site's counter until the commit, so that sequence numbers are in commit order. JSON travels
/// as text: the driver would send it as jsonb, which doesn't preserve its spelling.
pub async fn append(conn: &mut PgConnection, site: SiteId, appended: Appended<'_>) -> Result<u64, DbError> {
    let Appended { remembered, requests, presses, entries } = appended;
    let facts: Vec<Facts<'_>> = requests.iter().map(|request| Facts::of(&request.state)).collect();
    let notes = requests.iter().map(|request| serde_json::to_string(&request.notes)).collect::<Result<Vec<_>, _>>()?;
    let voices = texts(requests.iter().map(|request| request.voice.as_ref()))?;
    let held = texts(requests.iter().map(|request| request.held.as_ref()))?;
    // PostgreSQL has no arrays of arrays of different lengths, so the field names travel as one text per entry.
    let changed: Vec<String> = entries.iter().map(|entry| entry.changed_fields.join(",")).collect();
    let audiences = entries.iter().map(|entry| match &entry.audience {
        Audience::Everyone => Ok(None),
        some @ (Audience::Roles(_) | Audience::People(_)) => serde_json::to_string(some).map(Some),
    });
    let audiences = audiences.collect::<Result<Vec<_>, _>>()?;
    let head = sqlx::query_scalar!(
        "with remembered as (update buttons b set memory = n.memory, seen_at = n.seen_at \
         from unnest($3::uuid[], $4::text[]::json[], $5::timestamptz[]) as n (id, memory, seen_at) \
         where b.site_id is not distinct from $1 and b.id = n.id), \
         asked as (insert into requests (site_id, id, place_id, place_name, guest_id, button_id, created_by, \
         created_by_name, created_at, kind, service, priority, text, press_count, last_press_id, last_press_at, voice, \
         notes, state, accepted_by, accepted_by_name, accepted_at, closed_by, closed_by_name, closed_at, cancel_reason, \
         held) select $1, * from unnest($6::uuid[], $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::uuid[], \
         $12::text[], $13::timestamptz[], $14::text[], $15::text[], $16::text[], $17::text[], $18::int[], $19::text[], \
         $20::timestamptz[], $21::text[]::json[], $22::text[]::json[], $23::text[], $24::uuid[], $25::text[], \
         $26::timestamptz[], $27::uuid[], $28::text[], $29::timestamptz[], $30::text[], $53::text[]::json[]) \
         on conflict on constraint requests_pk do update set press_count = excluded.press_count, \
         last_press_id = excluded.last_press_id, last_press_at = excluded.last_press_at, voice = excluded.voice, \
         notes = excluded.notes, state = excluded.state, accepted_by = excluded.accepted_by, \
         accepted_by_name = excluded.accepted_by_name, accepted_at = excluded.accepted_at, \
         closed_by = excluded.closed_by, closed_by_name = excluded.closed_by_name, closed_at = excluded.closed_at, \
         cancel_reason = excluded.cancel_reason), \
         pressed as (insert into presses (site_id, id, button_id, press_key, device_press_id, kind, key, device_time, \
         received_at, request_id) select $1, * from unnest($31::uuid[], $32::uuid[], $33::text[], $34::text[], \
         $35::text[], $36::text[], $37::timestamptz[], $38::timestamptz[], $39::uuid[])), \
         bumped as (update sites set head = head + $2 where id = $1 returning head), \
         appended as (insert into entries (site_id, seq, event_id, at, actor_id, actor_name, source, category, type, \
         entity_type, entity_id, changed_fields, payload, audience, command_id) \
         select $1, bumped.head - $2 + n.place, n.event_id, n.at, n.actor_id, n.actor_name, n.source, n.category, \
         n.type, n.entity_type, n.entity_id, string_to_array(n.changed_fields, ','), n.payload, n.audience, \
         n.command_id from bumped, unnest($40::uuid[], $41::timestamptz[], $42::uuid[], $43::text[], $44::text[], \
         $45::text[], $46::text[], $47::text[], $48::uuid[], $49::text[], $50::text[]::json[], $51::text[]::json[], \
         $52::uuid[]) with ordinality as n (event_id, at, actor_id, actor_name, source, category, type, entity_type, \
         entity_id, changed_fields, payload, audience, command_id, place)) \
         select head from bumped",
        site.0,
        i64::try_from(entries.len()).unwrap_or(i64::MAX),
        column!(remembered, known => known.button.id.0),
        column!(remembered, known => known.memory.to_string()),
        column!(remembered, known => sql_opt(known.seen_at)) as _,
        column!(requests, request => request.id.0),
        column!(requests, request => request.place_id.0),
        column!(requests, request => request.place_name.as_str()) as _,
        column!(requests, request => request.guest_id.map(|id| id.0)) as _,
        column!(requests, request => request.button_id.map(|id| id.0)) as _,
        column!(requests, request => request.created_by.as_ref().map(|by| by.id.0)) as _,
        column!(requests, request => request.created_by.as_ref().map(|by| by.name.as_str())) as _,
        column!(requests, request => sql(request.created_at)) as _,
        column!(requests, request => request.kind.as_str()) as _,
        column!(requests, request => request.service.as_deref()) as _,
        column!(requests, request => request.priority.as_str()) as _,
        column!(requests, request => request.text.as_deref()) as _,
        column!(requests, request => i32::try_from(request.press_count).unwrap_or(i32::MAX)),
        column!(requests, request => request.last_press_id.as_deref()) as _,
        column!(requests, request => sql_opt(request.last_press_at)) as _,
        &voices as _,
        &notes,
        column!(requests, request => request.state.as_str()) as _,
        column!(facts, fact => fact.accepted_by) as _,
        column!(facts, fact => fact.accepted_by_name) as _,
        column!(facts, fact => fact.accepted_at) as _,
        column!(facts, fact => fact.closed_by) as _,
        column!(facts, fact => fact.closed_by_name) as _,
        column!(facts, fact => fact.closed_at) as _,
        column!(facts, fact => fact.cancel_reason) as _,
        column!(presses, press => press.id.0),
        column!(presses, press => press.button_id.0),
        column!(presses, press => press.press_key.as_deref()) as _,
        column!(presses, press => press.device_press_id.as_deref()) as _,
        column!(presses, press => press.kind.as_str()) as _,
        column!(presses, press => press.key.as_str()) as _,
        column!(presses, press => sql_opt(press.device_time)) as _,
        column!(presses, press => sql(press.received_at)) as _,
        column!(presses, press => press.request_id.map(|id| id.0)) as _,
        column!(entries, entry => entry.event_id.0),
        column!(entries, entry => sql(entry.at)) as _,
        column!(entries, entry => entry.actor_id.map(|id| id.0)) as _,
        column!(entries, entry => entry.actor_name.as_str()) as _,
        column!(entries, entry => entry.source.as_str()) as _,
        column!(entries, entry => entry.category.as_str()) as _,
        column!(entries, entry => entry.kind.as_str()) as _,
        column!(entries, entry => entry.entity.as_ref().map(|(entity_type, _)| entity_type.as_str())) as _,
        column!(entries, entry => entry.entity.as_ref().map(|(_, id)| *id)) as _,
        &changed,
        column!(entries, entry => entry.payload.get()) as _,
        &audiences as _,
        column!(entries, entry => entry.command_id.map(|id| id.0)) as _,
        &held as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(head).unwrap_or_default())
}
