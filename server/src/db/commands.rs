//! Records of decided commands, with their outcomes.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::protocol::Outcome;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, sql, sql_opt};

/// The record of a decided command.
#[derive(Clone, Debug)]
pub struct CommandRecord {
    /// The command's outcome.
    pub outcome: Outcome,
    /// The person who sent it; `None` for the server's own.
    pub person: Option<Uuid>,
    /// The verb's name.
    pub verb: String,
    /// SHA-256 of the verb with its arguments.
    pub digest: Vec<u8>,
    /// When the person acted, by their device's clock.
    pub made_at: Option<Timestamp>,
}

/// Returns the records of those commands that were decided before.
pub async fn find(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<CommandRecord>, DbError> {
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
            Ok(CommandRecord {
                outcome: Outcome { id: CommandId(row.id), seq, refusal },
                person: row.person_id,
                verb: row.verb,
                digest: row.digest,
                made_at: row.made_at.map(jiff_sqlx::Timestamp::to_jiff),
            })
        })
        .collect()
}

/// Returns the time before which records were deleted; `None` if none was. All later records exist.
pub async fn forgotten_before(conn: &mut PgConnection, site: SiteId) -> Result<Option<Timestamp>, DbError> {
    let before = sqlx::query_scalar!("select commands_forgotten_before from sites where id = $1", site.0)
        .fetch_one(conn)
        .await?;
    Ok(before.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Raises the time before which records were deleted. It never decreases.
pub async fn forget_before(conn: &mut PgConnection, site: SiteId, before: Timestamp) -> Result<(), DbError> {
    sqlx::query!(
        "update sites set commands_forgotten_before = $2 \
         where id = $1 and (commands_forgotten_before is null or commands_forgotten_before < $2)",
        site.0,
        sql(before) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores records of commands.
pub async fn save(
    conn: &mut PgConnection,
    site: SiteId,
    at: Timestamp,
    decided: &[CommandRecord],
) -> Result<(), DbError> {
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
