//! Rows of the log. Their semantics are in `log/`.

use crewbell_shared::ids::{CommandId, EventId, PersonId, SiteId};
use crewbell_shared::protocol::{Audience, EntityTypeName, Source};
use jiff::Timestamp;
use serde_json::value::RawValue;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{BadRow, DbError, search, sql};

/// A log entry's row; its sequence number is assigned by the append.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// Its globally unique id.
    pub event_id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// The acting person, if it was one.
    pub actor_id: Option<PersonId>,
    /// The actor's name.
    pub actor_name: String,
    /// The source of the action.
    pub source: Source,
    /// The part of the app it belongs to.
    pub category: String,
    /// Its type, in the past tense.
    pub kind: String,
    /// Type and id of the entity it carries, also of a type of a newer version.
    pub entity: Option<(EntityTypeName, Uuid)>,
    /// The names of the fields that changed.
    pub changed_fields: Vec<String>,
    /// The whole entity after the change, with `changed_fields`.
    pub payload: Box<RawValue>,
    /// The readers it is for.
    pub audience: Audience,
    /// The command that caused it.
    pub command_id: Option<CommandId>,
}

struct Row {
    seq: i64,
    event_id: Uuid,
    at: jiff_sqlx::Timestamp,
    actor_id: Option<Uuid>,
    actor_name: String,
    source: String,
    category: String,
    kind: String,
    entity_type: Option<String>,
    entity_id: Option<Uuid>,
    changed_fields: Vec<String>,
    payload: Json<Box<RawValue>>,
    audience: Option<serde_json::Value>,
    command_id: Option<Uuid>,
}

macro_rules! select {
    ($head:tt, $tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            $head + "select seq as \"seq!\", event_id as \"event_id!\", at as \"at!\", actor_id, \
            actor_name as \"actor_name!\", source as \"source!\", category as \"category!\", type as \"kind!\", \
            entity_type, entity_id, changed_fields as \"changed_fields!\", \
            payload as \"payload!: Json<Box<RawValue>>\", audience, command_id from " + $tail,
            $($argument),*
        )
    };
}

/// Maximum bytes of payloads on one page of [`after`], except for the last entry: some hundred entries of usual size,
/// and few large ones. The rest comes with the next page.
pub const PAGE_BYTES: i64 = 1024 * 1024;

/// Returns the entries after a sequence number, oldest first: at most `limit`, and not many more bytes than
/// [`PAGE_BYTES`]; at least one, if there is one.
pub async fn after(
    conn: &mut PgConnection,
    site: SiteId,
    seq: u64,
    limit: i64,
) -> Result<Vec<(u64, EntryRow)>, DbError> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let rows = select!(
        "",
        "(select *, sum(octet_length(payload::text)) over (order by seq) - octet_length(payload::text) as before \
         from (select * from entries where site_id = $1 and seq > $2 order by seq limit $3) as page) as page \
         where before < $4 order by seq",
        site.0,
        seq,
        limit,
        PAGE_BYTES
    );
    read(rows.fetch_all(conn).await?)
}

/// Returns the event id of one entry; `None` if it isn't in the log or is archived.
pub async fn event_id(conn: &mut PgConnection, site: SiteId, seq: u64) -> Result<Option<EventId>, DbError> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let id = sqlx::query_scalar!("select event_id from entries where site_id = $1 and seq = $2", site.0, seq);
    Ok(id.fetch_optional(conn).await?.map(Into::into))
}

/// Returns all entries of some entities, oldest first, from the log and its archives.
pub async fn of_entities(
    conn: &mut PgConnection,
    site: SiteId,
    entities: &[Uuid],
) -> Result<Vec<(u64, EntryRow)>, DbError> {
    let rows = select!(
        "",
        "(select * from entries where site_id = $1 and entity_id = any($2) union all \
         select * from entries_archive where site_id = $1 and entity_id = any($2)) as e order by seq",
        site.0,
        entities
    );
    read(rows.fetch_all(conn).await?)
}

/// Trace of a command in the log and its archives.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    /// The command.
    pub command: Uuid,
    /// Sequence number of the last entry that it appended.
    pub seq: u64,
    /// The person who sent it.
    pub person: Option<Uuid>,
}

/// Returns the traces of those commands that appended an entry.
pub async fn of_commands(conn: &mut PgConnection, site: SiteId, commands: &[Uuid]) -> Result<Vec<Trace>, DbError> {
    // Not prepared: the query is rare, and a plan from when the log was small would read all of it.
    let rows: Vec<(Uuid, i64, Option<Uuid>)> = sqlx::query_as(
        "select distinct on (command_id) command_id, seq, actor_id from \
         (select command_id, seq, actor_id from entries where site_id is not distinct from $1 and command_id = any($2) union all \
         select command_id, seq, actor_id from entries_archive where site_id is not distinct from $1 and command_id = any($2)) as e \
         order by command_id, seq desc",
    )
    .bind(site.0)
    .bind(commands)
    .persistent(false)
    .fetch_all(conn)
    .await?;
    let seq = |seq: i64| u64::try_from(seq).unwrap_or_default();
    Ok(rows.into_iter().map(|(command, at, person)| Trace { command, seq: seq(at), person }).collect())
}

/// Filter of the activity; a field of `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Entries before this sequence number: the page's end, exclusive.
    pub before: Option<u64>,
    /// Entries from this time on.
    pub from: Option<Timestamp>,
    /// Entries before this time.
    pub to: Option<Timestamp>,
    /// Entries of this category.
    pub category: Option<String>,
    /// Entries by this person.
    pub actor: Option<PersonId>,
    /// Entries about this entity.
    pub entity: Option<Uuid>,
    /// Entries with these words in the actor's name, the type or the payload.
    pub words: Option<String>,
    /// Maximum number.
    pub limit: i64,
}

/// Returns a page of the activity, newest first, from the log and its archives.
///
/// The query uses a custom plan for its arguments (as does the rest of the transaction), and limits the log and its
/// archives to the page before their union: otherwise each page would read and sort the whole log.
pub async fn activity(conn: &mut PgConnection, site: SiteId, filter: &Filter) -> Result<Vec<(u64, EntryRow)>, DbError> {
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut *conn).await?;
    let before = filter.before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let words = filter.words.as_deref().map(search::pattern);
    let rows = select!(
        "",
        "((select * from entries where site_id = $1 and seq < $2 \
         and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4) \
         and ($5::text is null or category = $5) and ($6::uuid is null or actor_id = $6) \
         and ($7::uuid is null or entity_id = $7) \
         and ($8::text is null or actor_name ~ $8 or type ~ $8 or payload::text ~ $8) \
         order by seq desc limit $9) union all \
         (select * from entries_archive where site_id = $1 and seq < $2 \
         and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4) \
         and ($5::text is null or category = $5) and ($6::uuid is null or actor_id = $6) \
         and ($7::uuid is null or entity_id = $7) \
         and ($8::text is null or actor_name ~ $8 or type ~ $8 or payload::text ~ $8) \
         order by seq desc limit $9)) as e order by seq desc limit $9",
        site.0,
        before,
        filter.from.map(sql) as _,
        filter.to.map(sql) as _,
        filter.category,
        filter.actor.map(|id| id.0) as _,
        filter.entity,
        words,
        filter.limit
    );
    read(rows.fetch_all(conn).await?)
}

/// Returns the time of the oldest unarchived entry from before a time. An entry in between that a wrong clock dated
/// into the future is skipped.
pub async fn oldest_before(
    conn: &mut PgConnection,
    site: SiteId,
    before: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let oldest = sqlx::query_scalar!(
        "select at from entries where site_id = $1 and at < $2 order by seq limit 1",
        site.0,
        sql(before) as _
    );
    Ok(oldest.fetch_optional(conn).await?.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Returns the time of the newest entry dated at or before a time, archived or not.
pub async fn newest_until(
    conn: &mut PgConnection,
    site: SiteId,
    until: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let newest = sqlx::query_scalar!(
        "select max(at) from ((select at from entries where site_id = $1 and at <= $2 order by seq desc limit 1) \
         union all (select at from entries_archive where site_id = $1 and at <= $2 order by seq desc limit 1)) e",
        site.0,
        sql(until) as _
    );
    Ok(newest.fetch_one(conn).await?.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Creates the archive partition of a time's month, if missing. It must not run in a transaction that others wait for.
pub async fn open_archive(conn: &mut PgConnection, at: Timestamp) -> Result<(), DbError> {
    sqlx::query_scalar!("select open_archive($1)", sql(at) as _).fetch_one(conn).await?;
    Ok(())
}

/// Analyses the log and its archives for the planner, after entries were moved.
pub async fn count_archive(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query("select count_archive()").execute(conn).await?;
    Ok(())
}

/// Moves the oldest entries before a time into the archive of their month, whose partition must exist
/// ([`open_archive`]); returns how many.
pub async fn archive(conn: &mut PgConnection, site: SiteId, before: Timestamp, limit: i64) -> Result<u64, DbError> {
    let Some(oldest) = oldest_before(&mut *conn, site, before).await?.map(sql) else { return Ok(0) };
    // Only entries of the oldest entry's month: another month's partition may be missing, even an earlier one, if the
    // clock was set back.
    let moved = sqlx::query_scalar!(
        "with old as (select seq from entries where site_id = $1 and at < $2 \
         and at >= date_trunc('month', $3::timestamptz, 'UTC') \
         and at < date_trunc('month', $3::timestamptz, 'UTC') + interval '1 month' order by seq limit $4), \
         gone as (delete from entries e using old where e.site_id = $1 and e.seq = old.seq returning e.*), \
         kept as (insert into entries_archive select * from gone returning seq), \
         moved as (update sites set first_seq = greatest(first_seq, (select max(seq) + 1 from kept)) where id = $1 and exists \
         (select from kept)) select count(*) as \"count!\" from kept",
        site.0,
        sql(before) as _,
        oldest as _,
        limit
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(moved).unwrap_or_default())
}

/// Converts rows to entries. Values of a newer version are passed on by name (an entity) or as `Other` (a source); an
/// unknown audience becomes nobody.
fn read(rows: Vec<Row>) -> Result<Vec<(u64, EntryRow)>, DbError> {
    rows.into_iter()
        .map(|row| {
            let id = row.event_id;
            let audience = match row.audience {
                None => Audience::Everyone,
                Some(some) => serde_json::from_value(some).unwrap_or(Audience::People(Vec::new())),
            };
            let entity = row.entity_type.map(EntityTypeName::from).zip(row.entity_id);
            let sources = [Source::Device, Source::App, Source::Server];
            let source = sources.into_iter().find(|source| source.as_str() == row.source);
            let entry = EntryRow {
                event_id: id.into(),
                at: row.at.to_jiff(),
                actor_id: row.actor_id.map(Into::into),
                actor_name: row.actor_name,
                source: source.unwrap_or(Source::Other),
                category: row.category,
                kind: row.kind,
                entity,
                changed_fields: row.changed_fields,
                payload: row.payload.0,
                audience,
                command_id: row.command_id.map(Into::into),
            };
            let seq = u64::try_from(row.seq).map_err(|_| BadRow::new("entries", id, "a negative number"))?;
            Ok((seq, entry))
        })
        .collect()
}
