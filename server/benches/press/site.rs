//! The site under test, made other than it is: each press a request of its own, and a past that nobody has counted.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::target::Target;

/// Requests of the past.
pub(crate) const PAST: i64 = 100_000;

/// Requests that were completed long ago, with a press and an entry each, and no statistics of it: as on a site that was
/// just restored. What counts by itself is told not to.
const UNCOUNTED: &str = "
set session_replication_role = replica;
alter table requests set (autovacuum_enabled = off);
alter table presses set (autovacuum_enabled = off);
alter table entries set (autovacuum_enabled = off);
insert into requests (site_id, id, place_id, place_name, button_id, created_at, kind, priority, press_count, last_press_at,
    notes, state, accepted_by, accepted_by_name, accepted_at, closed_by, closed_by_name, closed_at)
select b.site_id, gen_random_uuid(), b.place_id, 'Cabin', b.id, t.at, 'call', 'normal', 1, t.at, '[]', 'completed',
    w.id, w.name, t.at, w.id, w.name, t.at
from generate_series(1, 100000) n,
    lateral (select * from (select *, row_number() over (order by id) - 1 as r from buttons where place_id is not null) b
             where b.r = n % (select count(*) from buttons where place_id is not null)) b,
    (select id, name from people limit 1) w, lateral (select now() - n * interval '5 minutes' as at) t;
insert into presses (site_id, id, button_id, press_key, kind, key, received_at, request_id)
select site_id, gen_random_uuid(), button_id, 'past-' || id, 'single', 'main', created_at, id from requests
where state = 'completed' and place_name = 'Cabin';
update pg_class set reltuples = -1, relpages = 0
where relnamespace = 'public'::regnamespace and relkind in ('r', 'i');
delete from pg_statistic where starelid in (select oid from pg_class where relnamespace = 'public'::regnamespace);
";

/// Makes every press a request of its own, as an administrator does it.
pub(crate) fn without_window(target: &Target) -> Result<()> {
    let admin = target.people.iter().find(|person| person.role == "admin").context("nobody may change the site")?;
    let (token, url) = (admin.token.clone(), format!("http://{}/api/site", target.http));
    runtime()?.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let site: Value = client.get(&url).bearer_auth(&token).send().await?.error_for_status()?.json().await?;
        let mut settings = site["settings"].clone();
        settings["press_window_s"] = 0.into();
        let saved = client.put(format!("{url}/settings")).bearer_auth(&token).json(&settings).send().await?;
        ensure!(saved.status().is_success(), "the settings were not taken: {}", saved.text().await?);
        Ok(())
    })
}

/// Gives the site its past.
pub(crate) fn with_a_past(target: &Target) -> Result<()> {
    let url = target.database.as_deref().context("the server did not say where its database is")?;
    runtime()?.block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql(UNCOUNTED).execute(&mut connection).await.context("the past could not be written")?;
        let count: i64 = sqlx::query_scalar("select count(*) from requests").fetch_one(&mut connection).await?;
        ensure!(count >= PAST, "only {count} requests were written");
        Ok(())
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
