//! Tables without statistics: just created, just restored, or filled by a burst of presses. The planner knows nothing
//! about them, and a press must cost the same as elsewhere.

use crewbell_server::db::append::{Appended, append};
use crewbell_server::db::entries::{self, EntryRow};
use crewbell_server::db::presses::{self, Press};
use crewbell_server::db::{buttons, commands, migrate, requests};
use crewbell_shared::button::{ButtonKey, PressKind};
use crewbell_shared::ids::{CommandId, SiteId};
use crewbell_shared::protocol::{Audience, EntityType, Outcome, Source};
use crewbell_shared::request::{Kind, Priority, Request, RequestState};
use jiff::Timestamp;
use serde_json::value::RawValue;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::database::superuser;
use crate::ship::{Ship, soon};

/// Statements that insert a hundred thousand requests, each with a recording from one button, with their presses,
/// commands and entries; no statistics are ever collected.
const CROWD: [&str; 8] = [
    "set session_replication_role = replica",
    "do $$ declare t text; begin foreach t in array array['requests', 'presses', 'commands', 'entries', 'places'] loop \
     execute format('alter table %I set (autovacuum_enabled = off)', t); end loop; end $$",
    "insert into places select id, gen_random_uuid(), null, 'Room ' || n, 'cabin', n, false, 'room ' || n \
     from sites, generate_series(1, 300) n",
    "insert into requests (site_id, id, place_id, place_name, button_id, created_at, kind, priority, press_count, \
     last_press_at, voice, notes, state, accepted_by, accepted_by_name, accepted_at, closed_by, closed_by_name, closed_at) \
     select s.id, gen_random_uuid(), p.ids[1 + n % 300], 'Room', b.id, t.at, 'voice', 'normal', 1, t.at, '{}', '[]', 'completed', \
     w.id, w.name, t.at, w.id, w.name, t.at from sites s, generate_series(1, 100000) n, \
     (select array_agg(id) as ids from places) p, (select id, name from people limit 1) w, (select id from buttons where device = 'cabin-1') b, \
     lateral (select now() - n * interval '5 minutes' as at) t",
    "insert into presses (site_id, id, button_id, press_key, kind, key, received_at) \
     select b.site_id, gen_random_uuid(), b.id, '7-' || n, 'single', 'main', now() \
     from buttons b, generate_series(1, 10000) n",
    "insert into commands (site_id, id, verb, digest, at) select id, gen_random_uuid(), 'note_request', '', \
     now() - n * interval '1 minute' from sites, generate_series(1, 50000) n",
    "insert into entries (site_id, seq, event_id, at, actor_name, source, category, type, entity_type, entity_id, \
     changed_fields, payload, command_id) select id, head + n, gen_random_uuid(), now(), 'Somebody', 'app', 'requests', \
     'request_accepted', 'request', gen_random_uuid(), '{}', '{}', gen_random_uuid() \
     from sites, generate_series(1, 50000) n",
    "update sites set head = head + 50000",
];

const NEVER_COUNTED: &str = "update pg_class set reltuples = -1, relpages = 0 where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')";

/// Returns the number of blocks of our own tables and indexes that this transaction has fetched.
async fn blocks(conn: &mut PgConnection) -> i64 {
    let sql = "select coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::bigint from pg_class \
               where relnamespace = 'public'::regnamespace and relkind in ('r', 'i', 'p')";
    sqlx::query_scalar(sql).persistent(false).fetch_one(conn).await.unwrap()
}

fn request(place: Uuid, button: Uuid, at: Timestamp, ids: &crewbell_server::clock::Ids) -> Request {
    Request {
        id: ids.next(at),
        place_id: place.into(),
        place_name: "Cabin 1".into(),
        guest_id: None,
        button_id: Some(button.into()),
        created_by: None,
        created_at: at,
        kind: Kind::Call,
        service: None,
        priority: Priority::Normal,
        text: None,
        press_count: 1,
        last_press_id: None,
        last_press_at: Some(at),
        voice: None,
        notes: Vec::new(),
        state: RequestState::Open,
        held: None,
    }
}

/// Runs all queries of a writer for a press that makes a request, for a recording and for a command beside it; returns
/// the number of blocks fetched.
async fn press(ship: &Ship, conn: &mut PgConnection) -> i64 {
    let (site, ids, at): (SiteId, _, _) = (ship.site.id, &ship.server.registry.ids, ship.clock.now());
    let mut tx = conn.begin().await.unwrap();
    let before = blocks(&mut tx).await;

    let known = buttons::lock_devices(&mut tx, site, &["cabin-1".to_owned()]).await.unwrap();
    let (known, place, _) = known.into_iter().next().unwrap();
    let (button, place) = (known.button.id, place.unwrap().id.0);
    assert!(presses::find(&mut tx, site, &[(button, "new")]).await.unwrap().is_empty());
    assert!(requests::lock_live_at(&mut tx, site, &[place], at, at).await.unwrap().is_empty());
    let since = at - jiff::SignedDuration::from_mins(2);
    assert_eq!(requests::id_of_voice(&mut tx, site, "cabin-1", since).await.unwrap(), None);
    let request = request(place, button.0, at, ids);
    assert!(requests::lock(&mut tx, site, &[request.id.0]).await.unwrap().is_empty());
    let command: CommandId = ids.next(at);
    assert!(commands::find(&mut tx, site, &[command.0]).await.unwrap().is_empty());
    assert!(entries::of_commands(&mut tx, site, &[command.0]).await.unwrap().is_empty());

    let press = Press {
        id: ids.next(at),
        button_id: button,
        press_key: Some("new".into()),
        device_press_id: None,
        kind: PressKind::Single,
        key: ButtonKey::Main,
        device_time: None,
        received_at: at,
        request_id: Some(request.id),
    };
    let entry = EntryRow {
        event_id: ids.next(at),
        at,
        actor_id: None,
        actor_name: "Cabin 1".into(),
        source: Source::Device,
        category: "requests".into(),
        kind: "request_created".into(),
        entity: Some((EntityType::Request.into(), request.id.0)),
        changed_fields: Vec::new(),
        payload: RawValue::from_string("{}".into()).unwrap(),
        audience: Audience::Everyone,
        command_id: Some(command),
    };
    let appended = Appended {
        remembered: std::slice::from_ref(&known),
        requests: &[&request],
        presses: &[press],
        entries: &[entry],
    };
    append(&mut tx, site, appended).await.unwrap();
    let decided = commands::CommandRecord {
        outcome: Outcome { id: command, seq: Some(1), refusal: None },
        person: None,
        verb: "note_request".into(),
        digest: Vec::new(),
        made_at: None,
    };
    commands::save(&mut tx, site, at, &[decided]).await.unwrap();

    let after = blocks(&mut tx).await;
    tx.rollback().await.unwrap();
    after - before
}

#[tokio::test]
async fn a_press_costs_no_more_on_a_site_with_a_hundred_thousand_requests_that_nobody_has_counted() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    root.execute(NEVER_COUNTED).await.unwrap();
    let registry = &ship.server.registry;
    // One connection keeps the plans from when the tables were empty, the other makes its own.
    let mut old = registry.db.connect(ship.site.id).await.unwrap();
    let small = press(&ship, &mut old).await;
    for sql in CROWD {
        root.execute(sql).await.unwrap();
    }
    root.execute(NEVER_COUNTED).await.unwrap();
    let mut new = registry.db.connect(ship.site.id).await.unwrap();
    for (plans, conn) in [("before", &mut old), ("after", &mut new)] {
        // Twice: the first time the planner reads the indexes themselves.
        press(&ship, conn).await;
        let large = press(&ship, conn).await;
        println!("{small} blocks while the site was empty, {large} with plans of {plans} it was filled");
        assert!(large < 2 * small + 50, "{large} blocks a press, and {small} while the site was empty ({plans})");
    }
    // One press through the whole server.
    ship.gus_in(2).await.press("single").await;
}

#[tokio::test]
async fn tables_that_were_never_counted_are_counted_at_the_next_start() {
    let db = crate::database::fresh().await;
    let mut root = superuser(&db).await;
    let uncounted = "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' \
                     and reltuples < 0";
    let mut count = async || -> i64 { sqlx::query_scalar(uncounted).fetch_one(&mut root).await.unwrap() };
    assert_eq!(count().await, 0, "the migrations leave nothing uncounted");
    // As a restore leaves them: rows, and no statistics.
    superuser(&db).await.execute(NEVER_COUNTED).await.unwrap();
    assert!(count().await > 10);
    migrate(&db).await.unwrap();
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn an_archive_is_opened_while_it_is_read_and_while_presses_go_on() {
    let ship = Ship::sail().await;
    let registry = &ship.server.registry;
    // One transaction reads the archive, and another is in the middle of a write.
    let mut reading = registry.db.read(ship.site.id).await.unwrap();
    sqlx::query("select count(*) from entries_archive").execute(&mut *reading).await.unwrap();
    let mut writing = registry.db.connect(ship.site.id).await.unwrap();
    let mut writing = writing.begin().await.unwrap();
    sqlx::query("update sites set head = head").execute(&mut *writing).await.unwrap();

    let mut conn = registry.db.connect_bare().await.unwrap();
    let month: Timestamp = "2024-02-29T12:00:00Z".parse().unwrap();
    soon(entries::open_archive(&mut conn, month)).await.unwrap();
    soon(entries::open_archive(&mut conn, month)).await.unwrap();
    writing.rollback().await.unwrap();
    drop(reading);

    let bounds = "select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid \
                  where c.relname = 'entries_archive_2024_02' and inhparent = 'entries_archive'::regclass";
    assert_eq!(ship.count(bounds).await, 1);
    let mut root = superuser(&ship.db).await;
    let row = "insert into entries_archive (site_id, seq, event_id, at, actor_name, source, category, type, changed_fields, \
               payload) select id, 1, id, $1, '', 'server', '', '', '{}', '{}' from sites";
    for at in ["2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"] {
        let at: Timestamp = at.parse().unwrap();
        sqlx::query(row).bind(jiff_sqlx::Timestamp::from(at)).execute(&mut root).await.unwrap();
    }
    let at: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
    assert!(sqlx::query(row).bind(jiff_sqlx::Timestamp::from(at)).execute(&mut root).await.is_err());
}
