//! Races: simultaneous actions.

use std::collections::HashMap;

use crewbell_shared::person::Role;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use tokio::sync::Barrier;

use crate::cast::text;
use crate::ship::Ship;

/// Rounds of each race, enough for both orders to occur.
const ROUNDS: u128 = 10;

/// Runs futures concurrently, behind a barrier.
async fn at_once<T>(racers: Vec<impl Future<Output = T>>) -> Vec<T> {
    let start = Barrier::new(racers.len());
    let race = |racer| async {
        start.wait().await;
        racer.await
    };
    join_all(racers.into_iter().map(race)).await
}

#[tokio::test]
async fn two_accept_at_once_and_one_of_them_has_it() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    for round in 0..4 * ROUNDS {
        let request = sam.asks_for(round % 5 + 1, "ice").await;
        // Each racer starts first equally often.
        let racers = if round % 2 == 0 { [("Sam", &sam), ("Siri", &siri)] } else { [("Siri", &siri), ("Sam", &sam)] };
        let answers = at_once(racers.map(|(_, who)| who.answer(&request, "accept")).into()).await;
        let has_it = |place: &usize| answers[*place].0 == StatusCode::OK;
        let winners: Vec<usize> = (0..2).filter(has_it).collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        let (winner, (status, said)) = (racers[winners[0]].0, &answers[1 - winners[0]]);
        assert_eq!(*status, StatusCode::CONFLICT, "round {round}: {said}");
        assert_eq!((&said["code"], &said["details"]["by"]["name"]), (&json!("already_accepted"), &json!(winner)));
        assert_eq!(sam.request(&request).await["accepted_by"]["name"], winner, "round {round}");
        let accepted = "select count(*) from entries where type = 'request_accepted'";
        assert_eq!(ship.count(accepted).await, i64::try_from(round + 1).unwrap(), "round {round}");
    }
}

#[tokio::test]
async fn accept_and_cancel_at_once_end_in_one_of_two_stories() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    for round in 0..ROUNDS {
        let id = sam.asks_for(round % 5 + 1, "ice").await;
        let (accept, cancel) = if round % 2 == 0 {
            tokio::join!(sam.answer(&id, "accept"), siri.answer(&id, "cancel"))
        } else {
            let (cancel, accept) = tokio::join!(siri.answer(&id, "cancel"), sam.answer(&id, "accept"));
            (accept, cancel)
        };
        let state = text(&sam.request(&id).await["state"]);
        match (accept.0, cancel.0) {
            (StatusCode::OK, StatusCode::CONFLICT | StatusCode::FORBIDDEN) => {
                assert_eq!((cancel.1["code"].as_str(), state.as_str()), (Some("not_yours"), "accepted"));
                assert_eq!(cancel.1["details"]["by"]["name"], "Sam");
            }
            (StatusCode::CONFLICT, StatusCode::OK) => {
                assert_eq!((accept.1["code"].as_str(), state.as_str()), (Some("already_closed"), "cancelled"));
            }
            other => panic!("both or neither: {other:?}"),
        }
    }
}

#[tokio::test]
async fn accept_and_complete_by_a_supervisor_at_once_never_complete_what_nobody_had() {
    let ship = Ship::sail().await;
    let (sam, grace) = (ship.sam().await, ship.grace().await);
    for round in 0..ROUNDS {
        let id = sam.asks_for(round % 5 + 1, "ice").await;
        let (accept, complete) = tokio::join!(sam.answer(&id, "accept"), grace.answer(&id, "complete"));
        assert_eq!(accept.0, StatusCode::OK, "an accept of what is open can't lose to a complete");
        let request = sam.request(&id).await;
        assert_eq!(request["accepted_by"]["name"], "Sam");
        if complete.0 == StatusCode::OK {
            assert_eq!(
                (request["state"].as_str(), request["completed_by"]["name"].as_str()),
                (Some("completed"), Some("Grace"))
            );
        } else {
            assert_eq!(
                (complete.1["code"].as_str(), request["state"].as_str()),
                (Some("not_accepted"), Some("accepted"))
            );
        }
    }
}

#[tokio::test]
async fn presses_during_a_reconnect_are_seen_once_and_in_order() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(1).await;
    ship.settings(|settings| settings.press_window_s = 0).await;
    let mut screen = sam.screen(None).await;
    let presses = tokio::spawn(async move {
        let mut pressed = Vec::new();
        for _ in 0..60 {
            pressed.push(gus.press("single").await);
        }
        pressed
    });
    let mut seen = Vec::new();
    while seen.len() < 60 {
        // The socket breaks in the middle, and the next one resumes from the last entry read.
        for _ in 0..7.min(60 - seen.len()) {
            let entry = screen.see("request_created").await;
            screen.cursor = entry["meta"]["seq"].as_u64().unwrap();
            seen.push(text(&entry["payload"]["last_press_id"]));
        }
        screen = sam.screen(Some(screen.cursor)).await;
    }
    assert_eq!(seen, presses.await.unwrap());
}

#[tokio::test]
async fn twenty_people_accept_fifty_requests_at_once_and_each_has_one_holder() {
    let ship = Ship::sail().await;
    let crew = join_all((0..20).map(async |number| ship.recruit(&format!("Hand {number}"), Role::Crew).await)).await;
    let requests = join_all((0..50).map(async |number| crew[number % 20].asks_for(1, "come").await)).await;
    let told = join_all(crew.iter().enumerate().map(async |(number, person)| {
        let mut told = Vec::new();
        for place in 0..requests.len() {
            // Each starts at another request, so that they meet.
            let id = &requests[(place + number * 3) % requests.len()];
            let (status, said) = person.answer(id, "accept").await;
            let winner = match status {
                StatusCode::OK => person.id.clone(),
                StatusCode::CONFLICT => {
                    assert_eq!(said["code"], "already_accepted");
                    text(&said["details"]["by"]["id"])
                }
                other => panic!("{other}: {said}"),
            };
            told.push((id.clone(), winner));
        }
        told
    }))
    .await;

    let listed = crew[0].get("/api/service-requests?limit=200&state=accepted").await;
    let holder = |item: &serde_json::Value| (text(&item["id"]), text(&item["accepted_by"]["id"]));
    let holders: HashMap<_, _> = listed["items"].as_array().unwrap().iter().map(holder).collect();
    assert_eq!(holders.len(), 50);
    for (id, winner) in told.into_iter().flatten() {
        assert_eq!(holders[&id], winner, "everybody was told the same winner");
    }
    assert_eq!(ship.count("select count(*) from entries where type = 'request_accepted'").await, 50);
    let each = "select count(distinct entity_id) from entries where type = 'request_accepted'";
    assert_eq!(ship.count(each).await, 50);
    assert_eq!(crew[0].post("/api/commands", json!({ "commands": [] })).await.0, StatusCode::OK);
}
