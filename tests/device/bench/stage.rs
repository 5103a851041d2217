//! A ship whose server holds a given number of entities.

use anyhow::{Context, Result};
use crewbell_shared::ids::RequestId;
use reqwest::Client;
use sqlx::Executor;
use uuid::Uuid;

use crate::database;
use crate::ship::Ship;

/// Entities that every ship has: the site, six people, five cabins and buttons, a guest and her stay.
const ALWAYS: usize = 19;

/// Accepted requests, for which no device rings: they take the notes that are measured.
pub(crate) const IN_HAND: usize = 200;

/// A ship, and a plain HTTP client for the floors.
pub(crate) struct Stage {
    pub(crate) ship: Ship,
    pub(crate) entities: usize,
    pub(crate) plain: Client,
}

impl Stage {
    /// Creates a ship whose snapshot has a given number of entities: most are requests closed in the last seven days.
    pub(crate) async fn new(entities: usize) -> Result<Self> {
        let ship = Ship::sail().await;
        let mut root = database::superuser(&ship.db).await;
        // The stories' cluster runs without fsync; this benchmark includes the disk.
        for setting in ["fsync", "full_page_writes"] {
            root.execute(sqlx::AssertSqlSafe(format!("alter system reset {setting}"))).await?;
        }
        root.execute("select pg_reload_conf()").await?;
        let closed = entities.checked_sub(ALWAYS + IN_HAND).context("too few entities to fill a ship")?;
        fill(&mut root, ship.site.id.0, 1, IN_HAND, false).await?;
        fill(&mut root, ship.site.id.0, 2, closed, true).await?;
        root.execute("analyze requests").await?;
        Ok(Self { ship, entities, plain: Client::builder().no_proxy().gzip(true).build()? })
    }

    /// Returns the base address of the server.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.ship.server.http)
    }

    /// Returns the id of an accepted request.
    pub(crate) fn in_hand(number: usize) -> RequestId {
        RequestId(uuid(1, number + 1))
    }

    /// Downloads a path and discards the body; returns its length in bytes.
    pub(crate) async fn download(&self, path: &str, token: &str) -> Result<usize> {
        let asked = self.plain.get(format!("{}{path}", self.base())).bearer_auth(token);
        let mut answer = asked.send().await?.error_for_status()?;
        let mut bytes = 0;
        while let Some(part) = answer.chunk().await? {
            bytes += part.len();
        }
        Ok(bytes)
    }
}

fn uuid(tag: u128, number: usize) -> Uuid {
    Uuid::from_u128(tag << 64 | number as u128)
}

/// Inserts requests as they are after some days at sea.
async fn fill(root: &mut sqlx::PgConnection, site: Uuid, tag: u8, count: usize, closed: bool) -> Result<()> {
    let requests = "insert into requests (site_id, id, place_id, place_name, created_by, created_by_name, created_at,
            kind, priority, text, press_count, notes, state, accepted_by, accepted_by_name, accepted_at,
            closed_by, closed_by_name, closed_at)
        select $1, ('00000000-0000-000' || $2::text || '-0000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-0000-0000-00000000000' || (1 + n % 5)::text)::uuid, 'Cabin ' || (1 + n % 5)::text,
            '00000000-0000-0000-0000-000000000003', 'Dana', now() - n * interval '10 seconds',
            'call', 'normal', 'Two towels and a pot of tea, please', 0, '[]',
            case when $4 then 'completed' else 'accepted' end,
            '00000000-0000-0000-0000-000000000002', 'Siri', now() - n * interval '10 seconds',
            case when $4 then '00000000-0000-0000-0000-000000000002'::uuid end, case when $4 then 'Siri' end,
            case when $4 then now() - n * interval '10 seconds' end
        from generate_series(1, $3::bigint) as n";
    sqlx::query(requests)
        .bind(site)
        .bind(i32::from(tag))
        .bind(i64::try_from(count)?)
        .bind(closed)
        .execute(root)
        .await?;
    Ok(())
}
