//! Commands that were decided, and what became of them.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::protocol::Outcome;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, sql, sql_opt};

/// A command that was decided.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What became of it.
    pub outcome: Outcome,
    /// Who sent it; none for the server's own.
    pub person: Option<Uuid>,
    /// The verb's name.
    pub verb: String,
    /// SHA-256 of the verb with its arguments.
    pub digest: Vec<u8>,
    /// When the person acted, by their device's clock.
    pub made_at: Option<Timestamp>,
}

/// Finds those of the commands that were decided before.
pub async fn find(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<Decided>, DbError> {
    let rows = sqlx::query!(
        "select id, person_id, verb, digest, made_at, seq, refusal from commands where site_id is not distinct from $1 and id = any($2)",
        site.0,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let refusal: Option<Refusal> = row
                .refusal
                .map(serde_json::from_value)
                .transpose()
                .map_err(|error| BadRow::new("commands", row.id, error.to_string()))?;
            let seq = row.seq.and_then(|seq| u64::try_from(seq).ok());
            Ok(Decided {
                outcome: Outcome { id: CommandId(row.id), seq, refusal },
                person: row.person_id,
                verb: row.verb,
                digest: row.digest,
                made_at: row.made_at.map(jiff_sqlx::Timestamp::to_jiff),
            })
        })
        .collect()
}

/// Whether commands are still known from each of these times, or from before it.
pub async fn reach_back(conn: &mut PgConnection, site: SiteId, to: &[Timestamp]) -> Result<Vec<bool>, DbError> {
    // Not kept as a plan, as in `entries::of_commands`: one from when there were few would read them all.
    let query = "select (select true from commands where site_id = $1 and at <= asked.at limit 1) is not null \
                 from unnest($2::timestamptz[]) with ordinality as asked (at, place) order by asked.place";
    let to: Vec<_> = to.iter().copied().map(sql).collect();
    Ok(sqlx::query_scalar(query).bind(site.0).bind(to).persistent(false).fetch_all(conn).await?)
}

/// Remembers what became of commands.
pub async fn save(conn: &mut PgConnection, site: SiteId, at: Timestamp, decided: &[Decided]) -> Result<(), DbError> {
    let ids: Vec<_> = decided.iter().map(|decided| decided.outcome.id.0).collect();
    let people: Vec<_> = decided.iter().map(|decided| decided.person).collect();
    let verbs: Vec<_> = decided.iter().map(|decided| decided.verb.clone()).collect();
    let digests: Vec<_> = decided.iter().map(|decided| decided.digest.clone()).collect();
    let made: Vec<_> = decided.iter().map(|decided| sql_opt(decided.made_at)).collect();
    let seqs: Vec<_> =
        decided.iter().map(|decided| decided.outcome.seq.and_then(|seq| i64::try_from(seq).ok())).collect();
    let refusals = decided
        .iter()
        .map(|decided| decided.outcome.refusal.as_ref().map(serde_json::to_string).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    sqlx::query!(
        "insert into commands (site_id, id, person_id, verb, digest, made_at, at, seq, refusal) \
         select $1, n.id, n.person_id, n.verb, n.digest, n.made_at, $2, n.seq, n.refusal \
         from unnest($3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::timestamptz[], $8::bigint[], $9::text[]::json[]) \
         as n (id, person_id, verb, digest, made_at, seq, refusal)",
        site.0,
        sql(at) as _,
        &ids,
        &people as _,
        &verbs,
        &digests,
        &made as _,
        &seqs as _,
        &refusals as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
