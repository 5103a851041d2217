//! Changes of the site under test: more buttons, a request for each press, and old requests without statistics.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::target::{Button, Target};

/// The number of old requests.
pub(crate) const PAST: i64 = 100_000;

/// Writes requests that were completed long ago, with a press each, and without statistics: as on a site that was just
/// restored. Autovacuum, which would collect statistics, is turned off.
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

/// The number of buttons added to the demo's.
const CROWD: usize = 186;

/// Adds buttons, spread over the site's places, which sign in with the join code.
pub(crate) fn with_a_crowd(target: &mut Target) -> Result<()> {
    let join = target.join.clone().context("the server did not say how a gateway signs in")?;
    let made = runtime()?.block_on(async {
        let (client, admin) = (client()?, Admin::of(target)?);
        let places: Value =
            client.get(admin.url("places")).bearer_auth(&admin.token).send().await?.error_for_status()?.json().await?;
        let places = places["items"].as_array().context("the places are no list")?;
        let mut made = Vec::with_capacity(CROWD);
        for number in 0..CROWD {
            let id = format!("crowd-{number}");
            let button = json!({ "device": id, "place_id": places[number % places.len()]["id"] });
            let key = format!("00000000-0000-4000-8000-{number:012}");
            let request = client.post(admin.url("buttons")).bearer_auth(&admin.token).header("Idempotency-Key", key);
            let answer = request.json(&button).send().await?;
            ensure!(answer.status().is_success(), "no button was made: {}", answer.text().await?);
            made.push(Button { id, username: join.username.clone(), password: join.password.clone() });
        }
        anyhow::Ok(made)
    })?;
    target.buttons.extend(made);
    Ok(())
}

/// Sets the press window to 0 as an administrator, so that every press creates a request of its own.
pub(crate) fn without_window(target: &Target) -> Result<()> {
    runtime()?.block_on(async {
        let (client, admin) = (client()?, Admin::of(target)?);
        let (token, url) = (&admin.token, admin.url("site"));
        let site: Value = client.get(&url).bearer_auth(token).send().await?.error_for_status()?.json().await?;
        let mut settings = site["settings"].clone();
        settings["press_window_s"] = 0.into();
        let saved = client.put(format!("{url}/settings")).bearer_auth(token).json(&settings).send().await?;
        ensure!(saved.status().is_success(), "the settings were not taken: {}", saved.text().await?);
        Ok(())
    })
}

/// Writes the old requests.
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

/// An administrator's access to the site.
struct Admin {
    token: String,
    url: String,
}

impl Admin {
    fn of(target: &Target) -> Result<Self> {
        let admin = target.people.iter().find(|person| person.role == "admin").context("nobody may change the site")?;
        Ok(Self { token: admin.token.clone(), url: format!("http://{}/api", target.http) })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }
}

fn client() -> Result<reqwest::Client> {
    // No TLS is used, but the client requires a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
