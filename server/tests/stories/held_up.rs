//! Batches in which a locked row or an endless statement holds up a part.

use crewbell_shared::place::PlaceVerb;
use std::cell::Cell;

use crewbell_server::actions::{ActionError, Execute};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::{Source, Verb};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{Connection, Executor};

use crate::cast::command;
use crate::database::superuser;
use crate::log_output::Words;
use crate::ship::{Ship, id, soon};
use crate::wire::Wire;
use crate::writer::{ready, somebody_waits};

const CABIN_1: &str = "00000000-0000-0000-0000-000000000001";

#[tokio::test]
async fn a_lock_that_nobody_gives_back_is_no_answer_and_ends() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    let mut tx = root.begin().await.unwrap();
    tx.execute("select from places where name = 'Cabin 1' for update").await.unwrap();
    let verb = Verb::Place(PlaceVerb::SetDoNotDisturb { place_id: id(1), on: true });
    let began = std::time::Instant::now();
    assert_eq!(ship.site.act(Box::new(Execute(verb)), Actor::System, Source::App).await, Err(ActionError::Unavailable));
    assert!(began.elapsed() < std::time::Duration::from_secs(9), "by the lock's own limit");
    // Other actions continue on an intact connection.
    ship.gus_in(2).await.press("single").await;
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn a_row_that_somebody_holds_costs_those_who_need_it_and_nobody_who_presses_elsewhere() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let (mut two, mut three, mut four) = (ship.gus_in(2).await, ship.gus_in(3).await, ship.gus_in(4).await);
    // An operator edits cabin 1 by hand, and has left the transaction open.
    let (mut hand, mut root) = (superuser(&ship.db).await, superuser(&ship.db).await);
    let mut held = hand.begin().await.unwrap();
    held.execute("select from places where name = 'Cabin 1' for update").await.unwrap();
    // The writer waits for cabin 4's button, and meanwhile the batch fills up behind it.
    let mut tx = root.begin().await.unwrap();
    tx.execute("select from buttons where device = 'cabin-4' for update").await.unwrap();
    let quiet = || {
        let verb = json!({ "type": "set_do_not_disturb", "place_id": CABIN_1, "on": true });
        json!({ "commands": [command(verb)] })
    };
    // Six of them: each is finally tried alone, with a lock timeout of a quarter of a second.
    let asked: Vec<_> = [&sam, &siri].into_iter().cycle().map(|who| (who, quiet())).take(6).collect();
    let answered = Cell::new(false);
    let (_, said) = tokio::join!(four.press("single"), async {
        somebody_waits(&ship).await;
        let presses = async {
            tokio::join!(two.press("single"), three.press("single"));
            // The presses are acknowledged as soon as they are durable, while the blocked commands still wait.
            somebody_waits(&ship).await;
            assert!(!answered.get());
        };
        let commands = async {
            let said = join_all(asked.iter().map(|(who, body)| who.post("/api/commands", body.clone()))).await;
            answered.set(true);
            said
        };
        let (said, (), ()) = tokio::join!(commands, presses, async {
            // The clients have signed in already, so each is one message away from the writer's queue.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            tx.commit().await.unwrap();
        });
        said
    });
    assert!(said.iter().all(|(status, _)| *status == StatusCode::SERVICE_UNAVAILABLE), "{said:?}");
    let rang = "select count(*) from requests where place_name in ('Cabin 2', 'Cabin 3') and press_count = 1";
    assert_eq!(ship.count(rang).await, 2, "acknowledged, at the first try");
    // The row is free again: the same commands are executed once.
    held.rollback().await.unwrap();
    for (who, body) in asked {
        let (status, body) = who.post("/api/commands", body).await;
        assert_eq!((status, &body["outcomes"][0]["refusal"]), (StatusCode::OK, &json!(null)), "{body}");
    }
    let told = "select count(*) from entries where type = 'do_not_disturb_set'";
    assert_eq!(ship.count(told).await, 1);
    assert_eq!(ready(&ship).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_statement_that_does_not_end_is_broken_off_and_its_press_comes_again_and_is_taken_once() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    let endless = "create function sleeps() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; \
                   end $$; create trigger sleeps before insert on presses for each row \
                   when (new.device_press_id = 'endless') execute function sleeps()";
    sqlx::raw_sql(endless).execute(&mut root).await.unwrap();
    let (words, _guard) = Words::listen();
    let button = async || {
        let login = ("serenity/cabin-1", "secret-1");
        Wire::connect(ship.server.mqtt.unwrap(), "cabin-1", Some(login)).await.unwrap()
    };
    let (topic, payload) = ("obedio/button/cabin-1/pressed", br#"{"press_id":"endless","kind":"single"}"#);
    let mut gus = button().await;
    gus.publish(1, topic, payload, false, false).await.unwrap();
    assert!(soon(gus.next()).await.is_err(), "it isn't acknowledged, and the connection ends");
    words.hear("canceling statement due to statement timeout").await;
    assert_eq!(ship.count("select count(*) from presses").await, 0);

    // The writer continues.
    ship.gus_in(2).await.press("single").await;
    assert_eq!(ready(&ship).await.0, StatusCode::OK);
    root.execute("drop trigger sleeps on presses").await.unwrap();
    let mut gus = button().await;
    for _ in 0..2 {
        soon(gus.say(Some(1), topic, payload, true)).await.unwrap();
    }
    assert_eq!(ship.count("select count(*) from presses where device_press_id = 'endless'").await, 1);
    let rang = "select count(*) from requests where place_name = 'Cabin 1' and press_count = 1";
    assert_eq!(ship.count(rang).await, 1);
}
