//! The archive: entries older than the site's retention move to the archive of their month, and stay readable.

use crewbell_server::db::entries::{self, Filter};
use crewbell_server::jobs;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::database::superuser;
use crate::ship::{Ship, id};

/// Number of past entries, one an hour: more than four months of them.
const PAST: i64 = 3000;

const KEPT: &str = "select count(*) from entries";
const ARCHIVED: &str = "select count(*) from entries_archive";

/// Query that returns 1 if every seq from 1 to the head exists exactly once in the two tables.
const WHOLE: &str = "select (count(*) = max(head) and count(distinct seq) = max(head) and min(seq) = 1 \
                     and max(seq) = max(head))::int::bigint \
                     from (select seq from entries union all select seq from entries_archive) both_of_them, sites";

/// Creates a ship with past entries, and then sets its retention in days.
async fn months_later(retention_days: u32) -> Ship {
    let ship = Ship::sail().await;
    // The server archives by itself when it starts; without a retention it finds nothing to archive before the story
    // does.
    ship.settings(|settings| settings.retention_days = 0).await;
    let mut root = superuser(&ship.db).await;
    let insert = "insert into entries (site_id, seq, event_id, at, actor_name, source, category, type, entity_type, \
                  entity_id, changed_fields, payload) select s.id, s.head + n, gen_random_uuid(), \
                  now() + n * interval '1 hour', 'Crewbell', 'server', 'places', 'place_changed', 'place', $2, '{}', \
                  json_build_object('n', n) from sites s, generate_series(1, $1) n";
    let place = uuid::Uuid::from_u128(3);
    sqlx::query(insert).bind(PAST).bind(place).execute(&mut root).await.unwrap();
    sqlx::query("update sites set head = head + $1").bind(PAST).execute(&mut root).await.unwrap();
    let ship = ship.restart().await;
    ship.clock.advance(SignedDuration::from_hours(PAST));
    ship.sam().await;
    ship.settings(|settings| settings.retention_days = retention_days).await;
    ship
}

#[tokio::test]
async fn old_entries_move_while_presses_go_on_and_none_is_lost() {
    let ship = Box::pin(months_later(30)).await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let mut gus = ship.gus_in(1).await;
    assert_eq!(ship.count(ARCHIVED).await, 0);
    let before = ship.count(KEPT).await;

    let pressing = async {
        for _ in 0..100 {
            gus.press("single").await;
        }
    };
    let (batches, ()) = tokio::join!(jobs::archive(&ship.server.registry, &ship.site), pressing);
    let batches = batches.unwrap();
    assert!(batches > 3, "a few at a time, not all at once: {batches}");
    for number in 1..=100 {
        let expected = if number == 1 { "request_created" } else { "request_pressed_again" };
        assert_eq!(screen.see(expected).await["payload"]["last_press_id"], format!("cabin-1-{number}").as_str());
    }

    assert!(ship.count(ARCHIVED).await > PAST - 31 * 24, "all but the last month");
    assert!(ship.count(KEPT).await > 29 * 24, "and no more");
    // Besides the inserted entries: the sign-ins, and the button that was seen.
    assert!(ship.count(KEPT).await + ship.count(ARCHIVED).await >= before + 100);
    assert_eq!(ship.count(WHOLE).await, 1, "no number is missing, and none is in both");
    let months = "select count(distinct tableoid) from entries_archive";
    assert!(ship.count(months).await >= 4, "an archive for each month");
    let uncounted = "select count(*) from pg_class where relname like 'entries_archive_%' and relkind = 'r' \
                     and reltuples < 0";
    assert_eq!(ship.count(uncounted).await, 0, "the planner knows how large each is");
    let first = "select (first_seq = (select min(seq) from entries))::int::bigint from sites";
    assert_eq!(ship.count(first).await, 1, "the site knows where its log begins");
    let misplaced = "select count(*) from entries_archive a join pg_class c on c.oid = a.tableoid \
                     where c.relname <> 'entries_archive_' || to_char(at at time zone 'UTC', 'YYYY_MM')";
    assert_eq!(ship.count(misplaced).await, 0);
    assert_eq!(jobs::archive(&ship.server.registry, &ship.site).await.unwrap(), 0, "then there is nothing left to do");
}

#[tokio::test]
async fn what_is_archived_is_still_found() {
    let ship = Box::pin(months_later(30)).await;
    let head = ship.count("select head from sites").await;
    jobs::archive(&ship.server.registry, &ship.site).await.unwrap();
    let archived = ship.count(ARCHIVED).await;

    let mut tx = ship.server.registry.db.read(ship.site.id).await.unwrap();
    let all = Filter { limit: 10_000, ..Filter::default() };
    let found = entries::activity(&mut tx, ship.site.id, &all).await.unwrap();
    let numbers: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=u64::try_from(head).unwrap()).rev().collect::<Vec<_>>());
    let oldest = Filter { before: Some(11), limit: 5, ..Filter::default() };
    let found = entries::activity(&mut tx, ship.site.id, &oldest).await.unwrap();
    assert_eq!(found.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [10, 9, 8, 7, 6]);
    let place = entries::of_entities(&mut tx, ship.site.id, &[id::<uuid::Uuid>(3)]).await.unwrap();
    assert!(place.len() > usize::try_from(PAST).unwrap(), "the whole life of cabin 3: {}", place.len());
    assert!(place.is_sorted_by_key(|(seq, _)| *seq));
    drop(tx);

    let alex = ship.crew("Alex").await;
    let page = alex.get(&format!("/api/activity?before={archived}&limit=20")).await;
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 20);
    assert_eq!(items[0]["meta"]["seq"], archived - 1);
    let (status, refusal) = alex.ask(Method::GET, "/api/sync/entries?after=3", None).await;
    assert_eq!(
        (status.as_u16(), refusal["code"].as_str()),
        (410, Some("snapshot_needed")),
        "a cursor that old is told so"
    );
}

#[tokio::test]
async fn a_clock_that_jumped_three_years_moves_nothing_and_a_right_one_goes_on() {
    let ship = Box::pin(months_later(30)).await;
    jobs::archive(&ship.server.registry, &ship.site).await.unwrap();
    let (kept, archived) = (ship.count(KEPT).await, ship.count(ARCHIVED).await);
    // A client whose cursor is just before the oldest entry. It would need a snapshot if any entry were moved.
    let away = format!("/api/sync/entries?after={}", ship.count("select min(seq) - 1 from entries").await);
    let sam = ship.sam().await;
    for years in [3, 30, -60] {
        ship.clock.set_by(SignedDuration::from_hours(24 * 365 * years));
        assert_eq!(jobs::archive(&ship.server.registry, &ship.site).await.unwrap(), 0, "{years}");
        assert_eq!(sam.ask(Method::GET, &away, None).await.0, StatusCode::OK, "{years}: no snapshot is needed");
    }
    // The same when the server starts with the wrong clock, and has written entries by it.
    ship.clock.set_by(SignedDuration::from_hours(24 * 365 * 30));
    let ship = ship.restart().await;
    let sam = ship.sam().await;
    assert_eq!(jobs::archive(&ship.server.registry, &ship.site).await.unwrap(), 0);
    assert_eq!(sam.ask(Method::GET, &away, None).await.0, StatusCode::OK);
    assert_eq!(ship.count(ARCHIVED).await, archived);
    assert!(ship.count(KEPT).await >= kept);
    // The clock is corrected. Entries with wrong dates in between block nothing.
    ship.clock.set_by(SignedDuration::from_hours(-24 * 365 * 3));
    let ship = ship.restart().await;
    ship.sam().await;
    ship.clock.advance(SignedDuration::from_hours(24 * 40));
    ship.sam().await;
    ship.clock.advance(SignedDuration::from_hours(24 * 3));
    assert!(jobs::archive(&ship.server.registry, &ship.site).await.unwrap() > 0);
    assert_eq!(ship.count(WHOLE).await, 1);
}

#[tokio::test]
async fn entries_that_were_written_by_a_clock_of_another_month_go_where_they_belong() {
    let ship = Box::pin(months_later(30)).await;
    let mut root = superuser(&ship.db).await;
    // Every fiftieth entry is dated by a clock that was reset, or is years ahead.
    for (rest, shift) in [(0, "- interval '56 years'"), (25, "+ interval '3 years'")] {
        let set = format!("update entries set at = at {shift} where seq % 50 = {rest} and seq > 50");
        sqlx::query(sqlx::AssertSqlSafe(set)).execute(&mut root).await.unwrap();
    }
    drop(root);
    jobs::archive(&ship.server.registry, &ship.site).await.unwrap();
    assert!(ship.count(ARCHIVED).await > PAST - 31 * 24 - PAST / 50 - 10, "one from the future stops nobody");
    assert_eq!(ship.count("select count(*) from entries where at < '2000-01-01'").await, 0);
    assert_eq!(ship.count(WHOLE).await, 1);
}

#[tokio::test]
async fn a_site_that_keeps_everything_archives_nothing() {
    let ship = Box::pin(months_later(0)).await;
    ship.clock.advance(SignedDuration::from_hours(24 * 3650));
    assert_eq!(jobs::archive(&ship.server.registry, &ship.site).await.unwrap(), 0);
    assert_eq!(ship.count(ARCHIVED).await, 0);
    let _: Value = ship.crew("Alex").await.get("/api/activity?limit=1").await;
}
