//! Commands from a tablet that was offline for longer than command outcomes are kept.

use crewbell_server::config::Retention;
use crewbell_server::jobs::{self, clean_up};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cast::{Crew, command_as, fresh_id};
use crate::clean_up::FOR_EVER;
use crate::database::superuser;
use crate::ship::Ship;

const CABIN_1: &str = "00000000-0000-0000-0000-000000000001";

/// Commands given at one time: a new request, and a note on it.
struct Given {
    request: String,
    commands: Vec<Value>,
}

fn given(at: Timestamp) -> Given {
    let request = fresh_id();
    let create = json!({ "type": "create_request", "request_id": request, "place_id": CABIN_1, "kind": "call" });
    let note = json!({ "type": "note_request", "request_id": request, "note_id": fresh_id(), "text": "with lemon" });
    let timed = |mut verb: Value| {
        verb["made_at"] = at.to_string().into();
        command_as(&fresh_id(), verb)
    };
    Given { request, commands: vec![timed(create), timed(note)] }
}

fn codes(outcomes: &[Value]) -> Vec<Option<&str>> {
    outcomes.iter().map(|outcome| outcome["refusal"]["code"].as_str()).collect()
}

/// Advances the clock by a number of days.
fn days_go_by(ship: &Ship, days: i64) {
    ship.clock.advance(SignedDuration::from_hours(24 * days));
}

/// Deletes the outcomes of commands that are older than a number of days plus one.
async fn forget(ship: &Ship, days: u32) {
    let rows = clean_up(&ship.server.registry, &Retention { commands: days, ..FOR_EVER }).await.unwrap();
    assert!(rows > 0, "there is something to forget");
}

async fn notes(sam: &Crew, request: &str) -> usize {
    sam.request(request).await["notes"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_command_that_was_done_long_ago_is_known_by_its_entry_and_another_is_too_old() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let done = given(ship.clock.now());
    let first = sam.sends(&done.commands).await;
    assert_eq!(codes(&first), [None, None]);
    let never_came = given(ship.clock.now());
    // Refused at that time; the refusal has been deleted.
    let refused =
        [json!({ "type": "complete_request", "request_id": done.request, "made_at": ship.clock.now().to_string() })]
            .map(|verb| command_as(&fresh_id(), verb));
    assert_eq!(codes(&sam.sends(&refused).await), [Some("not_accepted")]);

    days_go_by(&ship, 93);
    forget(&ship, 90).await;
    let sam = ship.sam().await;
    assert_eq!(sam.sends(&done.commands).await, first, "the entry of each");
    assert_eq!(notes(&sam, &done.request).await, 1, "and nothing was done again");

    for old in [&never_came.commands[..], &refused[..]] {
        let outcomes = sam.sends(old).await;
        assert!(codes(&outcomes).iter().all(|code| *code == Some("too_old")), "{outcomes:?}");
        assert_eq!(sam.sends(old).await, outcomes, "the same whenever it comes");
    }
    assert_eq!(ship.count("select count(*) from requests").await, 1);
    // Later commands of the batch are executed, and the person repeats the old ones with new ids.
    let new = given(ship.clock.now());
    let batch = [given(ship.clock.now() - SignedDuration::from_hours(24 * 400)).commands, new.commands].concat();
    assert_eq!(codes(&sam.sends(&batch).await), [Some("too_old"), Some("too_old"), None, None]);
    assert_eq!(notes(&sam, &new.request).await, 1);

    // The outcome of another person's command isn't revealed to a person who knows its id.
    let siri = ship.siri().await;
    assert_eq!(codes(&siri.sends(&done.commands).await), [Some("key_reused"), Some("key_reused")]);
}

#[tokio::test]
async fn an_old_command_is_known_by_its_entry_in_the_archive_too() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let done = given(ship.clock.now());
    let first = sam.sends(&done.commands).await;
    ship.settings(|settings| settings.retention_days = 30).await;
    days_go_by(&ship, 120);
    forget(&ship, 90).await;
    ship.sam().await;
    jobs::archive(&ship.server.registry, &ship.site).await.unwrap();
    assert!(ship.count("select count(*) from entries_archive where command_id is not null").await >= 2);
    let sam = ship.sam().await;
    assert_eq!(sam.sends(&done.commands).await, first);
    assert_eq!(notes(&sam, &done.request).await, 1);
}

#[tokio::test]
async fn a_site_that_never_forgot_takes_a_command_of_two_years_ago() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    // A tablet whose clock went back: nothing was ever deleted, so an unknown command was never executed.
    let old = given(ship.clock.now() - SignedDuration::from_hours(24 * 730));
    assert_eq!(codes(&sam.sends(&old.commands).await), [None, None]);
    assert_eq!(notes(&sam, &old.request).await, 1);
    // A clean-up that deleted nothing makes no command too old.
    days_go_by(&ship, 30);
    assert_eq!(clean_up(&ship.server.registry, &Retention { commands: 90, ..FOR_EVER }).await.unwrap(), 0);
    let sam = ship.sam().await;
    let older = given(ship.clock.now() - SignedDuration::from_hours(24 * 731));
    assert_eq!(codes(&sam.sends(&older.commands).await), [None, None]);
}

#[tokio::test]
async fn what_was_forgotten_stays_so_when_commands_are_kept_for_longer_afterwards() {
    let ship = Ship::sail().await;
    ship.sam().await.asks_for(1, "ice").await;
    days_go_by(&ship, 60);
    forget(&ship, 30).await;
    // By the device's clock, which may be a day ahead: 31 days were kept.
    let hours_ago = |hours| given(ship.clock.now() - SignedDuration::from_hours(hours)).commands;
    let (forgotten, kept) = (hours_ago(30 * 24 + 1), hours_ago(30 * 24 - 1));
    // A record that was locked at the time is deleted later, under a setting with a longer retention.
    let late = "insert into commands (site_id, id, verb, digest, at) select id, gen_random_uuid(), 'note_request', '', \
                $1 from sites";
    let long_ago = jiff_sqlx::Timestamp::from(ship.clock.now() - SignedDuration::from_hours(24 * 59));
    sqlx::query(late).bind(long_ago).execute(&mut superuser(&ship.db).await).await.unwrap();
    forget(&ship, 50).await;
    let sam = ship.sam().await;
    assert_eq!(codes(&sam.sends(&forgotten).await), [Some("too_old"); 2]);
    assert_eq!(codes(&sam.sends(&kept).await), [None, None]);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_makes_no_command_too_old() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    sam.asks_for(1, "ice").await;
    let at = ship.clock.now();
    days_go_by(&ship, 3 * 365);
    let sam = ship.sam().await;
    // Outcomes from before the jump are still stored: nothing has been deleted.
    assert_eq!(codes(&sam.sends(&given(at).commands).await), [None, None]);
    assert_eq!(codes(&sam.sends(&given(ship.clock.now()).commands).await), [None, None]);
}

#[tokio::test]
async fn a_command_without_a_time_is_as_new_as_it_comes() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    sam.asks_for(1, "ice").await;
    days_go_by(&ship, 400);
    forget(&ship, 1).await;
    let sam = {
        drop(sam);
        ship.sam().await
    };
    let create = json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call" });
    assert_eq!(codes(&sam.sends(&[command_as(&fresh_id(), create)]).await), [None]);
}
