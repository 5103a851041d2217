//! Query plans and permissions of the schema: each index is used by its query, and roles can't bypass row-level
//! security.
//!
//! The server's own code runs the queries. Its prepared statements are then explained: the exact statements, as the
//! same role, with row-level security.

use crewbell_server::db::{entries, presses, requests};
use crewbell_shared::ids::{ButtonId, PersonId, PlaceId, SiteId};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use uuid::Uuid;

use crate::database::superuser;
use crate::ship::{Ship, id};

/// Two years of a busy hotel, in short: 40,000 requests of which 60 are open, and 60,000 entries.
const HISTORY: [&str; 6] = [
    "insert into places select id, gen_random_uuid(), null, 'Room ' || n, 'cabin', n, false, 'room ' || n \
     from sites, generate_series(1, 200) n",
    "insert into people select id, gen_random_uuid(), 'Person ' || n, 'crew', true, true, null, 'person ' || n \
     from sites, generate_series(1, 60) n",
    "insert into requests (site_id, id, place_id, place_name, created_at, kind, priority, press_count, last_press_at, \
     notes, state, accepted_by, accepted_by_name, accepted_at, closed_by, closed_by_name, closed_at) \
     select p.site_id, gen_random_uuid(), p.id, p.name, t.at, 'call', 'normal', 1, t.at, '[]', \
     case when open then 'open' else 'completed' end, case when not open then w.id end, \
     case when not open then w.name end, case when not open then t.at end, case when not open then w.id end, \
     case when not open then w.name end, case when not open then t.at end \
     from generate_series(1, 40000) n, \
     lateral (select now() - n * interval '25 minutes' as at, n % 667 = 0 as open) t, \
     lateral (select * from (select *, row_number() over (order by id) as r from places) p where p.r = 1 + n * 7 % 200) p, \
     lateral (select * from (select *, row_number() over (order by id) as r from people) w where w.r = 1 + n * 11 % 60) w",
    "insert into presses (site_id, id, button_id, press_key, kind, key, received_at) \
     select b.site_id, gen_random_uuid(), b.id, '7-' || n, 'single', 'main', now() \
     from buttons b, generate_series(1, 4000) n",
    "insert into entries (site_id, seq, event_id, at, actor_id, actor_name, source, category, type, entity_type, \
     entity_id, changed_fields, payload) select s.id, s.head + n, gen_random_uuid(), \
     now() - (60001 - n) * interval '15 minutes', w.ids[1 + n * 11 % 60], 'Somebody', 'app', 'requests', \
     'request_accepted', 'request', r.ids[1 + n % 20000], '{}', '{\"name\": \"some payload of the usual length\"}' \
     from generate_series(1, 60000) n, sites s, (select array_agg(id) as ids from people) w, \
     (select array_agg(id) as ids from requests) r",
    "update sites set head = head + 60000",
];

/// Returns the plan of the latest prepared statement, as used after several executions.
async fn plan(conn: &mut PgConnection, arguments: &str) -> String {
    let last = "select name, statement from pg_prepared_statements where statement not like '%pg_prepared%' \
                and statement not like '%set_config%' order by prepare_time desc limit 1";
    let rows = sqlx::raw_sql(last).fetch_all(&mut *conn).await.unwrap();
    let (name, statement): (String, String) = (rows[0].get(0), rows[0].get(1));
    let explain = format!("explain (costs off) execute {name}({arguments})");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(conn).await;
    let rows = rows.unwrap_or_else(|error| panic!("{error}: {statement}"));
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

/// Runs a query several times, after which PostgreSQL may switch to a generic plan, and checks that the plan uses an
/// index.
macro_rules! uses {
    ($index:expr, $conn:ident, $arguments:expr, $ask:expr) => {{
        for _ in 0..8 {
            $ask.await.unwrap();
        }
        let plan = plan(&mut $conn, &$arguments).await;
        assert!($index.iter().any(|index: &&str| plan.contains(index)), "{:?} isn't used:\n{plan}", $index);
        assert!(!plan.contains("Seq Scan on requests") && !plan.contains("Seq Scan on entries\n"), "{plan}");
    }};
}

#[tokio::test]
async fn each_index_is_used_for_the_question_that_it_is_there_for() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    for sql in HISTORY {
        root.execute(sql).await.unwrap();
    }
    root.execute("analyze").await.unwrap();
    let site: SiteId = ship.site.id;
    let one = async |sql: &'static str| -> Uuid {
        sqlx::query_scalar(sql).fetch_one(&mut superuser(&ship.db).await).await.unwrap()
    };
    let place = one("select place_id from requests where state = 'open' limit 1").await;
    let person = one("select accepted_by from requests where state = 'completed' limit 1").await;
    let request = one("select entity_id from entries where seq = 30000").await;
    let now = ship.clock.now();
    let week = now - SignedDuration::from_hours(24 * 7);
    let (first, last) = (Timestamp::UNIX_EPOCH, "9999-12-30");
    let asked = requests::Filter { limit: 50, ..requests::Filter::default() };
    let mut conn = ship.server.registry.db.connect(site).await.unwrap();
    // A writer may have used the connection, and prepared some of these statements.
    conn.clear_cached_statements().await.unwrap();

    let board = requests::Filter { state: Some("open".into()), ..asked.clone() };
    let arguments = format!("'{site}', '{first}', '{last}', 'open', 50");
    uses!(["requests_live"], conn, arguments, requests::list(&mut conn, site, &board));

    let arguments = format!("'{site}', '{{{place}}}', '{week}', '{week}'");
    uses!(["requests_unanswered"], conn, arguments, requests::lock_live_at(&mut conn, site, &[place], week, week));

    let by_place = requests::Filter { place: Some(PlaceId::from(place)), ..asked.clone() };
    let arguments = format!("'{site}', '{place}', '{first}', '{last}', null, null, 50");
    uses!(["requests_by_place"], conn, arguments, requests::list(&mut conn, site, &by_place));

    let by_person = requests::Filter { person: Some(PersonId::from(person)), ..asked.clone() };
    let arguments = format!("'{site}', '{person}', '{first}', '{last}', null, 50");
    uses!(["requests_by_person"], conn, arguments, requests::list(&mut conn, site, &by_person));

    let by_time = requests::Filter { from: Some(week), ..asked.clone() };
    let arguments = format!("'{site}', '{week}', '{last}', null, 50");
    uses!(["requests_by_time"], conn, arguments, requests::list(&mut conn, site, &by_time));

    let arguments = format!("'{site}', '{week}'");
    uses!(["requests_closed"], conn, arguments, requests::current(&mut conn, site, week));

    let arguments = format!("'{site}', 59000, 500, {}", entries::PAGE_BYTES);
    uses!(["entries_pk"], conn, arguments, entries::after(&mut conn, site, 59_000, 500));

    let arguments = format!("'{site}', '{{{request}}}'");
    uses!(["entries_by_entity"], conn, arguments, entries::of_entities(&mut conn, site, &[request]));

    let button = one("select id from buttons where device = 'cabin-1'").await;
    let keys = [(ButtonId::from(button), "7-1")];
    for _ in 0..8 {
        assert_eq!(presses::find(&mut conn, site, &keys).await.unwrap().len(), 1);
    }
    let plan = plan(&mut conn, &format!("'{site}', '{{{button}}}', '{{7-1}}'")).await;
    assert!(plan.contains("presses_press_key"), "{plan}");
}

#[tokio::test]
async fn a_press_that_can_t_be_read_is_named_by_its_own_id() {
    let ship = Ship::sail().await;
    ship.gus_in(1).await.press("single").await;
    let mut root = superuser(&ship.db).await;
    let damage = "alter table presses drop constraint presses_kind_shape; update presses set kind = 'tap'";
    root.execute(damage).await.unwrap();
    let (press, button, key): (Uuid, Uuid, String) =
        sqlx::query_as("select id, button_id, press_key from presses").fetch_one(&mut root).await.unwrap();
    let mut conn = ship.server.registry.db.connect(ship.site.id).await.unwrap();
    let keys = [(ButtonId::from(button), key.as_str())];
    let refused = presses::find(&mut conn, ship.site.id, &keys).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("presses {press}: what is \"tap\"?"));
}

/// Returns the number of log rows that this connection has read by index, and of its sequential scans of the log.
async fn read_so_far(conn: &mut PgConnection) -> (i64, i64) {
    let sql = "select coalesce(sum(pg_stat_get_xact_tuples_returned(i.indexrelid)), 0)::bigint, \
               coalesce(max(pg_stat_get_xact_numscans(indrelid)), 0)::bigint \
               from pg_index i where indrelid = 'entries'::regclass";
    sqlx::query_as(sql).persistent(false).fetch_one(conn).await.unwrap()
}

#[tokio::test]
async fn a_page_of_activity_costs_a_page_however_long_the_log_is() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    for sql in HISTORY {
        root.execute(sql).await.unwrap();
    }
    root.execute("analyze").await.unwrap();
    let (person, entity): (Uuid, Uuid) =
        sqlx::query_as("select actor_id, entity_id from entries where seq = 30000").fetch_one(&mut root).await.unwrap();
    let page = entries::Filter { limit: 100, ..entries::Filter::default() };
    let questions = [
        ("the newest", page.clone(), 100, 200),
        ("an older page", entries::Filter { before: Some(30_000), ..page.clone() }, 100, 200),
        ("of a category", entries::Filter { category: Some("requests".into()), ..page.clone() }, 100, 200),
        ("of a person", entries::Filter { actor: Some(PersonId::from(person)), ..page.clone() }, 100, 7000),
        ("of a request", entries::Filter { entity: Some(entity), ..page.clone() }, 3, 10),
        ("with a word", entries::Filter { words: Some("usual".into()), ..page.clone() }, 100, 200),
    ];
    let mut conn = ship.server.registry.db.connect(ship.site.id).await.unwrap();
    for (question, filter, found, most) in questions {
        for _ in 0..8 {
            let mut tx = conn.begin().await.unwrap();
            let (rows_before, scans_before) = read_so_far(&mut tx).await;
            let entries = entries::activity(&mut tx, ship.site.id, &filter).await.unwrap();
            assert_eq!(entries.len(), found, "{question}");
            let (rows, scans) = read_so_far(&mut tx).await;
            let (rows, scans) = (rows - rows_before, scans - scans_before);
            assert_eq!(scans, 0, "{question} reads the whole log");
            assert!(rows <= most, "{question} reads {rows} rows for {found}");
        }
    }
}

#[tokio::test]
async fn the_server_s_own_role_can_t_change_the_schema_nor_what_happened() {
    let ship = Ship::sail().await;
    ship.gus_in(1).await.press("single").await;
    let mut conn = ship.server.registry.db.connect(ship.site.id).await.unwrap();
    for sql in [
        "create table mine (n int)",
        "create schema mine",
        "create function mine() returns int language sql return 1",
        "alter table requests add column mine int",
        "alter table requests disable row level security",
        "drop table presses",
        "drop index requests_live",
        "drop policy own_site on requests",
        "truncate entries",
        "update entries set type = 'nothing_happened'",
        "update entries_archive set type = 'nothing_happened'",
        "delete from entries_archive",
        "delete from sites",
        "set role crewbell_owner",
        "alter role crewbell_server superuser",
        "select rolpassword from pg_authid",
        "select pg_read_file('/etc/passwd')",
    ] {
        let refused = conn.execute(sql).await.err().unwrap_or_else(|| panic!("it may: {sql}"));
        let code =
            refused.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
        assert_eq!(code, "42501", "{sql}: {refused}");
    }
    // A month of the archive is a table of its own without row-level security: it exists, and the role has no access to
    // it.
    conn.execute("select open_archive('2026-01-15')").await.unwrap();
    let mut root = superuser(&ship.db).await;
    let parts = "select inhrelid::regclass::text from pg_inherits where inhparent = 'entries_archive'::regclass";
    let months: Vec<String> = sqlx::query_scalar(parts).fetch_all(&mut root).await.unwrap();
    assert!(!months.is_empty(), "a select of a table that isn't there would prove nothing");
    for month in months {
        for sql in [format!("select count(*) from {month}"), format!("delete from {month}")] {
            root.execute(AssertSqlSafe(format!("begin; {sql}; rollback"))).await.unwrap();
            let refused = conn.execute(AssertSqlSafe(sql.clone())).await.unwrap_err();
            let code =
                refused.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{sql}: {refused}");
        }
    }
    assert_eq!(id::<Uuid>(100), ship.site.id.0);
}
