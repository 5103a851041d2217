//! Clean-up: each kind of record is deleted after its retention, and not before.

use std::collections::BTreeSet;
use std::time::Duration;

use crewbell_server::config::{Config, Retention};
use crewbell_server::jobs::clean_up;
use crewbell_server::serve::ServerSettings;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::database::superuser;
use crate::foreign::until;
use crate::ship::{Ship, found};

/// A retention that deletes nothing.
pub const FOR_EVER: Retention = Retention { recordings: 0, presses: 0, commands: 0, sessions: 0, unrecognised: 0 };

/// Each kind of record with its table, and a retention of ten days for that kind alone.
const KINDS: [(&str, &str, Retention); 5] = [
    ("recordings", "recordings", Retention { recordings: 10, ..FOR_EVER }),
    ("presses", "presses", Retention { presses: 10, ..FOR_EVER }),
    // Commands are kept a day longer than the setting says, since devices date them by their own clocks.
    ("commands", "commands", Retention { commands: 9, ..FOR_EVER }),
    ("sessions", "sessions where ended_at is not null", Retention { sessions: 10, ..FOR_EVER }),
    ("unrecognised", "unrecognised_messages", Retention { unrecognised: 10, ..FOR_EVER }),
];

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Creates a ship with an old and a new record of each kind; her log has entries from every day in between.
async fn with_one_old_and_one_new(old: SignedDuration) -> Ship {
    let ship = Ship::sail().await;
    one_of_each(&ship, 1).await;
    let mut left = old;
    while left.is_positive() {
        let step = left.min(days(1));
        ship.clock.advance(step);
        ship.settings(|settings| settings.press_window_s = u32::try_from(left.as_hours().rem_euclid(600)).unwrap())
            .await;
        left -= step;
    }
    one_of_each(&ship, 2).await;
    ship
}

/// Creates a press, its recording, a command, an ended session, and an unrecognised message.
async fn one_of_each(ship: &Ship, cabin: u128) {
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(cabin).await;
    gus.press("long").await;
    let voice = json!({ "button": "main", "duration": 1, "format": "adpcm", "data": "AAECAwQFBgc=" });
    gus.tell(&format!("obedio/button/cabin-{cabin}/voice"), voice).await;
    unrecognised(ship, &format!("cabin-{cabin}"), ship.clock.now()).await;
    assert_eq!(sam.does(json!({ "type": "set_busy", "person_id": sam.id, "busy": cabin == 1 })).await, None);
    sam.post("/api/auth/logout", json!({})).await;
}

/// Stores an unrecognised message of a device, as received at a time.
async fn unrecognised(ship: &Ship, device: &str, at: Timestamp) {
    let unrecognised = "insert into unrecognised_messages (site_id, device, reason, topic, sample, times, first_at, last_at) \
                   select id, $1, 'no_press', 'some/topic', '', 1, $2::timestamptz, $2::timestamptz from sites";
    let mut root = superuser(&ship.db).await;
    sqlx::query(unrecognised).bind(device).bind(at.to_string()).execute(&mut root).await.unwrap();
}

async fn count(ship: &Ship, table: &str) -> i64 {
    let sql = AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(sql).fetch_one(&mut superuser(&ship.db).await).await.unwrap()
}

async fn counts(ship: &Ship) -> Vec<i64> {
    let mut counts = Vec::new();
    for (_, table, _) in KINDS {
        counts.push(count(ship, table).await);
    }
    counts
}

#[tokio::test]
async fn each_kind_goes_by_its_own_setting_when_it_has_had_its_time() {
    let ship = with_one_old_and_one_new(days(10) + SignedDuration::from_mins(1)).await;
    let registry = &ship.server.registry;
    let before = counts(&ship).await;
    assert!(before.iter().all(|rows| *rows >= 2), "{before:?}");
    let requests = ship.count("select count(*) from requests").await;
    let entries = ship.count("select head from sites").await;
    assert_eq!(clean_up(registry, &FOR_EVER).await.unwrap(), 0, "0 keeps for ever");
    let eleven = Retention { recordings: 11, presses: 11, commands: 11, sessions: 11, unrecognised: 11 };
    assert_eq!(clean_up(registry, &eleven).await.unwrap(), 0, "nothing goes before its time");
    assert_eq!(counts(&ship).await, before);

    for (at, (kind, _, retention)) in KINDS.into_iter().enumerate() {
        let left = counts(&ship).await;
        let rows = clean_up(registry, &retention).await.unwrap();
        assert!(rows >= 1, "{kind}");
        let mut expected = left;
        expected[at] -= i64::try_from(rows).unwrap();
        assert_eq!(counts(&ship).await, expected, "{kind} alone went");
        assert!(expected[at] >= 1, "and the new {kind} stayed");
        assert_eq!(clean_up(registry, &retention).await.unwrap(), 0, "{kind}: once");
    }
    assert_eq!(ship.count("select count(*) from requests").await, requests);
    assert_eq!(ship.count("select head from sites").await, entries, "the log is none of its business");
    assert_eq!(ship.count("select count(*) from sessions where ended_at is null").await, 0);
}

/// Returns the default retention of a kind in `docs/operating.md`.
fn documented(kind: &str) -> SignedDuration {
    let line =
        include_str!("../../../docs/operating.md").lines().find(|line| line.contains(&format!("`retention.{kind}`")));
    days(line.unwrap().split('|').nth(2).unwrap().trim().parse().unwrap())
}

#[tokio::test]
async fn with_no_setting_touched_each_kind_stays_for_as_long_as_is_documented_and_no_longer() {
    let ship = Ship::sail().await;
    let began = ship.clock.now();
    one_of_each(&ship, 1).await;
    let retention = Config::default().retention;
    let mut stays = KINDS.map(|(kind, table, _)| (documented(kind), kind, table));
    // Commands are kept a day longer than documented, since devices date them by their own clocks.
    stays.iter_mut().filter(|(_, kind, _)| *kind == "commands").for_each(|(stays, ..)| *stays += days(1));
    let hour = SignedDuration::from_hours(1);
    let ages: BTreeSet<_> = stays.iter().flat_map(|(stays, ..)| [*stays - hour, *stays + hour]).collect();
    for age in ages {
        let passed = ship.clock.now().duration_since(began);
        ship.clock.advance(age - passed);
        clean_up(&ship.server.registry, &retention).await.unwrap();
        for (stays, kind, table) in stays {
            assert_eq!(count(&ship, table).await == 0, stays < age, "{kind} after {} h", age.as_hours());
        }
    }
    assert_eq!(ship.count("select count(*) from requests").await, 1, "what guests wanted stays");
}

#[tokio::test]
async fn much_goes_a_few_at_a_time_and_what_somebody_holds_waits_for_nobody() {
    let ship = with_one_old_and_one_new(days(11)).await;
    let mut root = superuser(&ship.db).await;
    let many = "insert into presses (site_id, id, button_id, press_key, kind, key, received_at) \
                select p.site_id, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, p.button_id, 'old-' || n, \
                'single', 'main', p.received_at from (select * from presses order by received_at limit 1) p, \
                generate_series(1, 1200) n";
    sqlx::query(many).execute(&mut root).await.unwrap();
    // Another transaction holds a lock on one row, as a backup or an operator with psql might.
    let mut held = sqlx::Connection::begin(&mut root).await.unwrap();
    sqlx::query("select from presses where press_key = 'old-700' for update").execute(&mut *held).await.unwrap();
    let retention = Retention { presses: 10, ..FOR_EVER };
    let deleted = clean_up(&ship.server.registry, &retention).await.unwrap();
    assert!((1200..1203).contains(&deleted), "all but the one: {deleted}");
    held.rollback().await.unwrap();
    assert_eq!(clean_up(&ship.server.registry, &retention).await.unwrap(), 1, "which goes the next time");
}

#[tokio::test]
async fn a_clock_that_jumped_deletes_nothing_until_it_has_been_right_for_days() {
    let ship = with_one_old_and_one_new(days(1)).await;
    let all = Retention { recordings: 10, presses: 10, commands: 10, sessions: 10, unrecognised: 10 };
    let before = counts(&ship).await;
    ship.clock.set_by(days(3 * 365));
    assert_eq!(clean_up(&ship.server.registry, &all).await.unwrap(), 0);
    // The server restarts, and writes entries by the wrong clock.
    let ship = ship.restart().await;
    ship.settings(|settings| settings.press_window_s = 7).await;
    assert_eq!(clean_up(&ship.server.registry, &all).await.unwrap(), 0);
    ship.clock.set_by(-days(3 * 365));
    assert_eq!(clean_up(&ship.server.registry, &all).await.unwrap(), 0);
    assert_eq!(counts(&ship).await, before);
    // A ship that was laid up: the clock is right, and is trusted after three days.
    ship.clock.advance(days(30));
    let ship = ship.restart().await;
    assert_eq!(clean_up(&ship.server.registry, &all).await.unwrap(), 0);
    ship.clock.advance(days(3));
    assert!(clean_up(&ship.server.registry, &all).await.unwrap() > 0);
}

#[tokio::test]
async fn a_clock_that_is_days_ahead_after_a_restart_deletes_nothing_and_a_right_one_goes_on() {
    let ship = with_one_old_and_one_new(days(7)).await;
    let all = Retention { recordings: 10, presses: 10, commands: 10, sessions: 10, unrecognised: 10 };
    let before = counts(&ship).await;
    ship.clock.set_by(days(5));
    let ship = ship.restart().await;
    ship.settings(|settings| settings.press_window_s = 7).await;
    assert_eq!(clean_up(&ship.server.registry, &all).await.unwrap(), 0);
    ship.clock.set_by(-days(5));
    let ship = ship.restart().await;
    assert_eq!(clean_up(&ship.server.registry, &all).await.unwrap(), 0);
    assert_eq!(counts(&ship).await, before);
    // The ship is in use every day, and her server starts again.
    for day in 0..4 {
        ship.clock.advance(days(1));
        ship.settings(|settings| settings.press_window_s = 8 + day).await;
    }
    let ship = ship.restart().await;
    assert!(clean_up(&ship.server.registry, &all).await.unwrap() > 0);
}

#[tokio::test]
async fn a_site_that_can_not_be_cleaned_up_holds_no_other_up() {
    let ship = Ship::sail().await;
    found(&ship.server, 200, "aurora").await;
    let mut root = superuser(&ship.db).await;
    let old = "insert into unrecognised_messages (site_id, device, reason, topic, sample, times, first_at, last_at) \
               select id, 'old', 'no_press', 'some/topic', '', 1, $1::timestamptz, $1::timestamptz from sites \
               on conflict do nothing";
    let long_ago = ship.clock.now().checked_sub(days(20)).unwrap().to_string();
    let retention = Retention { unrecognised: 10, ..FOR_EVER };
    // Independent of the order of the sites.
    for (failing, other) in [("serenity", "aurora"), ("aurora", "serenity")] {
        sqlx::query(old).bind(&long_ago).execute(&mut root).await.unwrap();
        let fails = format!(
            "create or replace function fails() returns trigger language plpgsql as $$ begin \
             if old.site_id = (select id from sites where slug = '{failing}') then \
             raise exception 'a page is broken' using errcode = 'XX001'; end if; return old; end $$; \
             create or replace trigger fails before delete on unrecognised_messages for each row execute function fails()"
        );
        sqlx::raw_sql(AssertSqlSafe(fails)).execute(&mut root).await.unwrap();
        assert_eq!(clean_up(&ship.server.registry, &retention).await.unwrap(), 1, "{other}");
        let left = "select s.slug from unrecognised_messages u join sites s on s.id = u.site_id";
        let left: Vec<String> = sqlx::query_scalar(left).fetch_all(&mut root).await.unwrap();
        assert_eq!(left, [failing]);
    }
}

#[tokio::test]
async fn the_server_begins_the_clean_up_itself_with_the_retention_that_is_set() {
    let ship = Ship::sail().await;
    for (device, age) in [("overdue", days(11)), ("recent", days(9))] {
        unrecognised(&ship, device, ship.clock.now().checked_sub(age).unwrap()).await;
    }
    let begin = |settings: &mut ServerSettings| {
        settings.retention = Retention { unrecognised: 10, ..FOR_EVER };
        settings.clean_up_after = Duration::ZERO;
    };
    let ship = ship.restart_with(begin).await;
    let overdue = "select count(*) from unrecognised_messages where device = 'overdue'";
    until("what is overdue is gone", async || ship.count(overdue).await == 0).await;
    assert_eq!(ship.count("select count(*) from unrecognised_messages where device = 'recent'").await, 1);
}

#[tokio::test]
async fn nothing_points_at_what_is_deleted() {
    let ship = Ship::sail().await;
    let pointing = "select count(*) from pg_constraint where contype = 'f' and confrelid in ('recordings'::regclass, \
                    'presses'::regclass, 'commands'::regclass, 'sessions'::regclass, 'unrecognised_messages'::regclass)";
    assert_eq!(ship.count(pointing).await, 0);
}
