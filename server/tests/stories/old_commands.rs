//! A tablet that was away for longer than it is kept what became of commands.

use crewbell_server::jobs;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cast::{Crew, command_as, fresh_id};
use crate::database::superuser;
use crate::ship::Ship;

const CABIN_1: &str = "00000000-0000-0000-0000-000000000001";

/// A command of somebody, given at a time: a request, and what was written on it.
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

/// Lets so many days go by, with the entries that a site makes meanwhile.
fn days_go_by(ship: &Ship, days: i64) {
    ship.clock.advance(SignedDuration::from_hours(24 * days));
}

/// Forgets what became of commands that are older than so many days, as the clean-up does.
async fn forget(ship: &Ship, days: i64) {
    let before = ship.clock.now() - SignedDuration::from_hours(24 * days);
    let sql = "delete from commands where at < $1";
    let before = jiff_sqlx::Timestamp::from(before);
    sqlx::query(sql).bind(before).execute(&mut superuser(&ship.db).await).await.unwrap();
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
    // Refused then, and nobody knows now.
    let refused =
        [json!({ "type": "complete_request", "request_id": done.request, "made_at": ship.clock.now().to_string() })]
            .map(|verb| command_as(&fresh_id(), verb));
    assert_eq!(codes(&sam.sends(&refused).await), [Some("not_accepted")]);

    days_go_by(&ship, 93);
    forget(&ship, 91).await;
    let sam = ship.sam().await;
    assert_eq!(sam.sends(&done.commands).await, first, "the entry of each");
    assert_eq!(notes(&sam, &done.request).await, 1, "and nothing was done again");

    for old in [&never_came.commands[..], &refused[..]] {
        let outcomes = sam.sends(old).await;
        assert!(codes(&outcomes).iter().all(|code| *code == Some("too_old")), "{outcomes:?}");
        assert_eq!(sam.sends(old).await, outcomes, "the same whenever it comes");
    }
    assert_eq!(ship.count("select count(*) from requests").await, 1);
    // What waits behind it goes on, and the person does it again with a new id.
    let new = given(ship.clock.now());
    let batch = [given(ship.clock.now() - SignedDuration::from_hours(24 * 400)).commands, new.commands].concat();
    assert_eq!(codes(&sam.sends(&batch).await), [Some("too_old"), Some("too_old"), None, None]);
    assert_eq!(notes(&sam, &new.request).await, 1);

    // Somebody else's command isn't told to whoever knows its id.
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
    forget(&ship, 91).await;
    ship.sam().await;
    jobs::archive(&ship.server.house, &ship.site).await.unwrap();
    assert!(ship.count("select count(*) from entries_archive where command_id is not null").await >= 2);
    let sam = ship.sam().await;
    assert_eq!(sam.sends(&done.commands).await, first);
    assert_eq!(notes(&sam, &done.request).await, 1);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_makes_no_command_too_old() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    sam.asks_for(1, "ice").await;
    let at = ship.clock.now();
    days_go_by(&ship, 3 * 365);
    let sam = ship.sam().await;
    // What was decided before the jump is still there: nobody has forgotten anything.
    assert_eq!(codes(&sam.sends(&given(at).commands).await), [None, None]);
    assert_eq!(codes(&sam.sends(&given(ship.clock.now()).commands).await), [None, None]);
}

#[tokio::test]
async fn a_command_without_a_time_is_as_new_as_it_comes() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    days_go_by(&ship, 400);
    forget(&ship, 1).await;
    let sam = {
        drop(sam);
        ship.sam().await
    };
    let create = json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call" });
    assert_eq!(codes(&sam.sends(&[command_as(&fresh_id(), create)]).await), [None]);
}
