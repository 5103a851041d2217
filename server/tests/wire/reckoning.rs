//! Comparison of the acknowledged presses with the database.

use std::collections::HashMap;

use sqlx::PgConnection;

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub struct Reckoning {
    /// Number of acknowledged presses.
    pub acknowledged: usize,
    /// Number of acknowledged presses that aren't recorded.
    pub lost: usize,
    /// Number of presses that are recorded more than once, or counted more than once on their request.
    pub doubled: usize,
    /// Number of seqs missing from the sites' logs, between 1 and their heads.
    pub gaps: i64,
}

/// Compares as the superuser, for whom row-level security doesn't apply.
pub async fn reckon(root: &mut PgConnection, acknowledged: &[String]) -> Reckoning {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select device_press_id, count(*) from presses where device_press_id is not null group by device_press_id",
    )
    .fetch_all(&mut *root)
    .await
    .unwrap();
    let recorded: HashMap<_, _> = rows.into_iter().collect();
    let lost = acknowledged.iter().filter(|id| !recorded.contains_key(*id)).count();
    let twice = recorded.values().filter(|times| **times > 1).count();
    let miscounted: i64 = sqlx::query_scalar(
        "select count(*) from (select request_id, count(*) as n from presses where request_id is not null \
         group by request_id having bool_or(device_press_id = any($1))) p \
         join requests r on r.id = p.request_id where r.press_count <> p.n",
    )
    .bind(acknowledged)
    .fetch_one(&mut *root)
    .await
    .unwrap();
    let gaps: i64 = sqlx::query_scalar(
        "select coalesce(sum(s.head - (select count(distinct seq) from (select seq from entries e \
         where e.site_id = s.id and seq between 1 and s.head union all select seq from entries_archive a \
         where a.site_id = s.id and seq between 1 and s.head) as numbered)), 0)::bigint from sites s",
    )
    .fetch_one(&mut *root)
    .await
    .unwrap();
    let doubled = twice + usize::try_from(miscounted).unwrap();
    Reckoning { acknowledged: acknowledged.len(), lost, doubled, gaps }
}
