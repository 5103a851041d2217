//! The life of a request, from its creation to its end.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cast::{fresh_id, text};
use crate::ship::Ship;

fn seconds(count: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(count)
}

/// Returns the seconds between two times of a request.
fn between(request: &Value, from: &str, to: &str) -> i64 {
    let time = |field: &str| text(&request[field]).parse::<jiff::Timestamp>().unwrap();
    time(to).duration_since(time(from)).as_secs()
}

#[tokio::test]
async fn a_request_tells_who_took_it_who_ended_it_and_how_long_each_step_took() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    ship.gus_in(3).await.press("single").await;
    let id = text(&screen.see("request_created").await["payload"]["id"]);

    ship.clock.advance(seconds(30));
    assert_eq!(sam.answer(&id, "accept").await.0, StatusCode::OK);
    let accepted = screen.see("request_accepted").await;
    assert_eq!(accepted["payload"]["state"], "accepted");
    assert_eq!(accepted["payload"]["accepted_by"], json!({ "id": sam.id, "name": "Sam" }));
    assert_eq!(accepted["payload"]["changed_fields"], json!(["accepted_at", "accepted_by", "state"]));
    assert_eq!(accepted["meta"]["actor"]["name"], "Sam");

    ship.clock.advance(seconds(240));
    assert_eq!(sam.answer(&id, "complete").await.0, StatusCode::OK);
    let completed = screen.see("request_completed").await["payload"].clone();
    assert_eq!(completed["completed_by"]["name"], "Sam");
    assert_eq!(completed["accepted_by"]["name"], "Sam");
    assert_eq!(between(&completed, "created_at", "accepted_at"), 30);
    assert_eq!(between(&completed, "accepted_at", "completed_at"), 240);
    let stored = sam.request(&id).await;
    for (field, value) in stored.as_object().unwrap() {
        assert_eq!(completed[field], *value, "{field} is stored as it was told");
    }
}

#[tokio::test]
async fn the_timeline_tells_the_whole_story_in_order() {
    let ship = Ship::sail().await;
    let (sam, siri, grace) = (ship.sam().await, ship.siri().await, ship.grace().await);
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    gus.press("single").await;
    let id = text(&sam.open_requests().await[0]["id"]);
    sam.answer(&id, "accept").await;
    sam.post(&format!("/api/service-requests/{id}/notes"), json!({ "text": "wants tea" })).await;
    sam.answer(&id, "release").await;
    siri.answer(&id, "accept").await;
    let to = json!({ "to": sam.id });
    siri.post(&format!("/api/service-requests/{id}/hand-over"), to).await;
    grace.answer(&id, "complete").await;

    let story = sam.timeline(&id).await;
    let story: Vec<_> = story.iter().map(|(who, what)| (who.as_str(), what.as_str())).collect();
    assert_eq!(
        story[1..],
        [
            ("Cabin 2", "request_pressed_again"),
            ("Sam", "request_accepted"),
            ("Sam", "request_noted"),
            ("Sam", "request_released"),
            ("Siri", "request_accepted"),
            ("Siri", "request_handed_over"),
            ("Grace", "request_completed"),
        ]
    );
    assert_eq!(story[0].1, "request_created");
    let done = sam.request(&id).await;
    assert_eq!(
        (done["accepted_by"]["name"].as_str(), done["completed_by"]["name"].as_str()),
        (Some("Sam"), Some("Grace"))
    );
    assert_eq!(done["notes"][0]["text"], "wants tea");
    assert_eq!(done["notes"][0]["by"]["name"], "Sam");
}

#[tokio::test]
async fn a_released_request_is_open_to_everybody_again_and_carries_nobody_s_name() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let id = sam.asks_for(1, "ice").await;
    sam.answer(&id, "accept").await;
    let mut siris = siri.screen(None).await;
    assert_eq!(siri.answer(&id, "release").await.1["code"], "not_yours");
    assert_eq!(sam.answer(&id, "release").await.0, StatusCode::OK);

    let released = siris.see("request_released").await["payload"].clone();
    assert_eq!(released["state"], "open");
    assert_eq!(released["accepted_by"], Value::Null);
    assert_eq!(siri.open_requests().await[0]["id"], id.as_str());
    assert_eq!(siri.answer(&id, "accept").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_request_is_handed_over_to_one_colleague_and_the_giver_has_it_no_more() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let id = sam.asks_for(1, "ice").await;
    let hand_over = format!("/api/service-requests/{id}/hand-over");
    assert_eq!(sam.post(&hand_over, json!({ "to": siri.id })).await.1["code"], "not_accepted");
    sam.answer(&id, "accept").await;
    assert_eq!(sam.post(&hand_over, json!({ "to": fresh_id() })).await.1["code"], "not_found");
    assert_eq!(sam.post(&hand_over, json!({ "to": siri.id })).await.0, StatusCode::OK);
    assert_eq!(sam.request(&id).await["accepted_by"]["name"], "Siri");
    assert_eq!(sam.answer(&id, "complete").await.1["code"], "not_yours");
    assert_eq!(siri.answer(&id, "complete").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_cancelled_request_says_why_and_takes_nothing_more_but_a_note() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let id = sam.asks_for(4, "nothing").await;
    let cancel = format!("/api/service-requests/{id}/cancel");
    let (status, _) = sam.post(&cancel, json!({ "reason": "pressed by the child" })).await;
    assert_eq!(status, StatusCode::OK);
    let cancelled = sam.request(&id).await;
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["cancel_reason"], "pressed by the child");
    assert_eq!(cancelled["cancelled_by"]["name"], "Sam");
    for verb in ["accept", "release", "complete", "cancel"] {
        let (status, said) = sam.answer(&id, verb).await;
        assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("already_closed")), "{verb}");
        assert_eq!(said["details"]["request"]["state"], "cancelled");
    }
    let note = json!({ "text": "it was the child in 5" });
    assert_eq!(sam.post(&format!("/api/service-requests/{id}/notes"), note).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_second_accept_names_the_winner_and_the_winner_s_own_is_no_mistake() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let id = sam.asks_for(1, "ice").await;
    assert_eq!(sam.answer(&id, "accept").await.0, StatusCode::OK);
    let (status, said) = siri.answer(&id, "accept").await;
    assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("already_accepted")));
    assert_eq!(said["details"]["by"], json!({ "id": sam.id, "name": "Sam" }));
    assert_eq!(said["details"]["request"]["state"], "accepted");
    // A repeated acceptance succeeds, since the first response may have been lost.
    let (status, said) = sam.answer(&id, "accept").await;
    assert_eq!((status, &said["seq"]), (StatusCode::OK, &Value::Null));
    assert_eq!(ship.count("select count(*) from entries where type = 'request_accepted'").await, 1);
}

#[tokio::test]
async fn without_any_hardware_a_person_asks_for_a_guest() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let id = sam.asks_for(5, "  breakfast at eight  ").await;
    let request = sam.request(&id).await;
    assert_eq!(request["text"], "breakfast at eight");
    assert_eq!(request["created_by"]["name"], "Sam");
    assert_eq!(request["place_name"], "Cabin 5");
    assert_eq!(request["guest_id"], "00000000-0000-0000-0000-000000000005", "whoever stays there");
    assert_eq!((&request["button_id"], &request["press_count"]), (&Value::Null, &json!(0)));
    let nowhere = json!({ "place_id": fresh_id(), "kind": "call" });
    assert_eq!(sam.post("/api/service-requests", nowhere).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_priority_comes_from_the_kind_unless_somebody_says_otherwise() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let place = "00000000-0000-0000-0000-000000000001";
    let cases = [
        (json!({ "kind": "call" }), "normal"),
        (json!({ "kind": "urgent" }), "high"),
        (json!({ "kind": "emergency" }), "emergency"),
        (json!({ "kind": "service", "service": "lights" }), "low"),
        (json!({ "kind": "call", "priority": "low" }), "low"),
    ];
    for (mut body, priority) in cases {
        let id = fresh_id();
        body["id"] = id.as_str().into();
        body["place_id"] = place.into();
        assert_eq!(sam.post("/api/service-requests", body.clone()).await.0, StatusCode::OK);
        assert_eq!(sam.request(&id).await["priority"], priority, "{body}");
    }
    let (status, said) = sam.post("/api/service-requests", json!({ "place_id": place, "kind": "service" })).await;
    assert_eq!((status, &said["details"]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("service")));
}

#[tokio::test]
async fn the_same_post_twice_is_done_once_and_answered_the_same() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let key = fresh_id();
    let body = json!({ "place_id": "00000000-0000-0000-0000-000000000001", "kind": "call" });
    let ask = || sam.ask_keyed(Method::POST, "/api/service-requests", Some(body.clone()), Some(&key));
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!(first.0, StatusCode::OK);
    assert_eq!(first, second);
    assert_eq!(ask().await, first);
    assert_eq!(sam.open_requests().await.len(), 1);

    // A refusal is stored too: later changes don't change the answer.
    let siri = ship.siri().await;
    sam.answer(&key, "accept").await;
    let late = fresh_id();
    let accept = format!("/api/service-requests/{key}/accept");
    let refused = siri.ask_keyed(Method::POST, &accept, None, Some(&late)).await;
    assert_eq!(refused.1["code"], "already_accepted");
    sam.answer(&key, "release").await;
    assert_eq!(siri.ask_keyed(Method::POST, &accept, None, Some(&late)).await, refused);
}

#[tokio::test]
async fn a_key_that_served_another_command_or_another_person_is_refused() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let id = sam.asks_for(1, "ice").await;
    let key = fresh_id();
    let path = |verb: &str| format!("/api/service-requests/{id}/{verb}");
    assert_eq!(sam.ask_keyed(Method::POST, &path("accept"), None, Some(&key)).await.0, StatusCode::OK);
    let (status, said) = sam.ask_keyed(Method::POST, &path("complete"), None, Some(&key)).await;
    assert_eq!((status, &said["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
    let (_, said) = siri.ask_keyed(Method::POST, &path("accept"), None, Some(&key)).await;
    assert_eq!(said["code"], "key_reused", "Siri must not take Sam's success for her own");
    let (status, said) = sam.ask_keyed(Method::POST, &path("complete"), None, Some("not a uuid")).await;
    assert_eq!((status, &said["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid")));
    assert_eq!(sam.request(&id).await["state"], "accepted");
}

#[tokio::test]
async fn lists_filter_and_their_pages_join_without_a_gap() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut made = Vec::new();
    // In one batch, so that many have the same creation time.
    for round in 0..3 {
        let create = |_| {
            let id = fresh_id();
            made.push(id.clone());
            let place = uuid::Uuid::from_u128(round + 1);
            crate::cast::command(
                json!({ "type": "create_request", "request_id": id, "place_id": place, "kind": "call" }),
            )
        };
        let commands: Vec<_> = (0..7).map(create).collect();
        let all = commands.iter().map(|command| sam.sends(std::slice::from_ref(command)));
        futures_util::future::join_all(all).await;
        ship.clock.advance(seconds(60));
    }
    let mut paged = Vec::new();
    let mut path = "/api/service-requests?limit=4".to_owned();
    loop {
        let page = sam.get(&path).await;
        paged.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])));
        let Some(before) = page["next_before"].as_str() else { break };
        path = format!("/api/service-requests?limit=4&before={before}");
    }
    made.sort();
    paged.sort();
    assert_eq!(paged, made);

    sam.answer(&made[0], "accept").await;
    sam.answer(&made[1], "accept").await;
    sam.answer(&made[1], "complete").await;
    let count = async |query: &str| {
        let body = sam.get(&format!("/api/service-requests?limit=200&{query}")).await;
        body["items"].as_array().unwrap().len()
    };
    assert_eq!(count("state=open").await, 19);
    assert_eq!(count("state=accepted").await, 1);
    assert_eq!(count("state=completed").await, 1);
    assert_eq!(count("place_id=00000000-0000-0000-0000-000000000002").await, 7);
    assert_eq!(count(&format!("accepted_by={}", sam.id)).await, 2);
    let middle = text(&sam.request(&made[7]).await["created_at"]);
    assert_eq!(count(&format!("from={middle}")).await + count(&format!("before={middle}")).await, 21);
    let (status, said) = sam.ask(Method::GET, "/api/service-requests?state=lost", None).await;
    assert_eq!((status, &said["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid")));
}
