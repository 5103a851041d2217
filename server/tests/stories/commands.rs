//! The app's command endpoint: a batch of commands, and the outcome of each.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cast::{command, command_as, fresh_id};
use crate::ship::Ship;

const CABIN_1: &str = "00000000-0000-0000-0000-000000000001";

fn create(request: &str) -> Value {
    json!({ "type": "create_request", "request_id": request, "place_id": CABIN_1, "kind": "call" })
}

fn on(request: &str, verb: &str) -> Value {
    json!({ "type": format!("{verb}_request"), "request_id": request })
}

fn codes(outcomes: &[Value]) -> Vec<Option<&str>> {
    outcomes.iter().map(|outcome| outcome["refusal"]["code"].as_str()).collect()
}

#[tokio::test]
async fn a_batch_is_done_in_the_order_in_which_it_was_given() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let request = fresh_id();
    let batch = [command(create(&request)), command(on(&request, "accept")), command(on(&request, "complete"))];
    let outcomes = sam.sends(&batch).await;
    assert_eq!(codes(&outcomes), [None, None, None]);
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome["id"].clone()).collect();
    assert_eq!(ids, batch.each_ref().map(|command| command["id"].clone()));
    let first = outcomes[0]["seq"].as_u64().unwrap();
    assert_eq!(outcomes[2]["seq"], first + 2);
    assert_eq!(sam.request(&request).await["state"], "completed");
}

#[tokio::test]
async fn a_refused_command_does_not_hold_up_those_behind_it() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let (request, other) = (fresh_id(), fresh_id());
    let batch = [
        command(create(&request)),
        command(on(&request, "complete")),
        command(on(&fresh_id(), "accept")),
        command(create(&other)),
        command(on(&request, "accept")),
    ];
    let outcomes = sam.sends(&batch).await;
    assert_eq!(codes(&outcomes), [None, Some("not_accepted"), Some("not_found"), None, None]);
    assert_eq!(outcomes[1]["refusal"]["details"]["request"]["state"], "open", "the entity as it was");
}

#[tokio::test]
async fn what_depends_on_a_refused_command_is_refused_with_it_also_in_a_later_batch() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let request = sam.asks_for(1, "ice").await;
    let (first, second, third) = (fresh_id(), fresh_id(), fresh_id());
    let note = |id: &str, on: &str| {
        let mut note = json!({ "type": "note_request", "request_id": request, "note_id": fresh_id(), "text": "done" });
        note["depends_on"] = on.into();
        command_as(id, note)
    };
    let batch = [command_as(&first, on(&request, "complete")), note(&second, &first)];
    assert_eq!(codes(&sam.sends(&batch).await), [Some("not_accepted"), Some("depends_on_refused")]);
    // The third command depends only on the second, which was refused because of the first.
    let outcomes = sam.sends(&[note(&third, &second), note(&fresh_id(), &first)]).await;
    assert_eq!(codes(&outcomes), [Some("depends_on_refused"), Some("depends_on_refused")]);
    assert_eq!(outcomes[0]["refusal"]["details"]["depends_on"], second.as_str());
    // A command that depends on a successful one is executed.
    let accept = fresh_id();
    let outcomes = sam.sends(&[command_as(&accept, on(&request, "accept")), note(&fresh_id(), &accept)]).await;
    assert_eq!(codes(&outcomes), [None, None]);
    assert_eq!(sam.request(&request).await["notes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_that_is_sent_again_gives_the_same_outcomes_and_changes_nothing() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let (request, refused) = (fresh_id(), fresh_id());
    let mut dependent = on(&request, "complete");
    dependent["depends_on"] = refused.as_str().into();
    let batch = [
        command(create(&request)),
        command_as(&refused, on(&request, "release")),
        command(dependent),
        command(on(&request, "accept")),
        command(json!({ "type": "save_place", "place_id": fresh_id(), "name": "Cabin 1", "kind": "cabin" })),
        command(json!({ "type": "set_duty", "person_id": sam.id, "on_duty": true })),
    ];
    let first = sam.sends(&batch).await;
    let head = ship.head();
    assert_eq!(sam.sends(&batch).await, first);
    assert_eq!(sam.second_device().await.sends(&batch).await, first);
    let again = ship.count("select count(*) from entries where type not in ('person_signed_in')").await;
    let sign_ins = ship.count("select count(*) from entries where type = 'person_signed_in'").await;
    assert_eq!(ship.head(), head + 1, "only the second device's sign-in is new");
    assert_eq!(u64::try_from(again + sign_ins).unwrap(), head + 1);
    // The commands may arrive in another order: each outcome belongs to its command.
    let backwards: Vec<_> = batch.iter().rev().cloned().collect();
    let mut outcomes = sam.sends(&backwards).await;
    outcomes.reverse();
    assert_eq!(outcomes, first);
}

#[tokio::test]
async fn more_than_five_hundred_commands_are_refused_and_none_of_them_is_done() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let batch: Vec<_> = (0..501).map(|_| command(create(&fresh_id()))).collect();
    let (status, said) = sam.post("/api/commands", json!({ "commands": batch })).await;
    assert_eq!(
        (status, &said["code"], &said["details"]["limit"]),
        (StatusCode::CONFLICT, &json!("too_many"), &json!(500))
    );
    assert!(sam.open_requests().await.is_empty());
    let endless = json!({ "commands": [], "padding": "x".repeat(1024 * 1024) });
    let (status, said) = sam.post("/api/commands", endless).await;
    assert_eq!((status, &said["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")));
}

#[tokio::test]
async fn malformed_bodies_are_invalid_and_say_nothing_of_the_inside() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let whole = create(&fresh_id());
    let cases = [
        "{".to_owned(),
        String::new(),
        "[]".to_owned(),
        r#"{"commands": {}}"#.to_owned(),
        json!({ "commands": [whole] }).to_string(),
        json!({ "commands": [command(whole.clone()), whole] }).to_string(),
        json!({ "commands": [{ "id": "5", "type": "accept_request" }] }).to_string(),
        json!({ "commands": [7] }).to_string(),
        json!({ "commands": [null] }).to_string(),
    ];
    for body in cases {
        let url = format!("http://{}/api/commands", sam.address);
        let request = client.post(url).bearer_auth(&sam.token).header("content-type", "application/json");
        let response = request.body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let said: Value = response.json().await.unwrap();
        assert_eq!(said["code"], "invalid", "{body}");
    }
    let url = format!("http://{}/api/commands", sam.address);
    let bytes = vec![0xff, 0xfe, b'{'];
    let request = client.post(url).bearer_auth(&sam.token).header("content-type", "application/json");
    assert_eq!(request.body(bytes).send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_command_of_a_newer_app_is_refused_by_itself_and_spoils_nothing() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let request = sam.asks_for(1, "ice").await;
    let strange = [
        json!({ "type": "sink_the_ship", "depth_m": 4000 }),
        json!({ "type": "accept_request" }),
        json!({ "type": "accept_request", "request_id": "5" }),
        json!({ "type": "accept_request", "request_id": request, "made_at": "tomorrow" }),
        json!({ "type": "accept_request", "request_id": request, "depends_on": 7 }),
        json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "serenade" }),
        json!({ "type": "fly\u{0}\n away" }),
        json!({ "type": 5 }),
        json!({}),
    ];
    for strange in strange {
        let (new, unknown) = (fresh_id(), fresh_id());
        let mut behind = on(&new, "accept");
        behind["depends_on"] = unknown.as_str().into();
        let batch = [
            command(create(&new)),
            command_as(&unknown, strange.clone()),
            command(behind),
            command(on(&new, "accept")),
        ];
        let outcomes = sam.sends(&batch).await;
        assert_eq!(codes(&outcomes), [None, Some("invalid"), Some("depends_on_refused"), None], "{strange}");
        assert_eq!(outcomes[1]["id"], unknown.as_str(), "{strange}");
        let message = outcomes[1]["refusal"]["message"].as_str().unwrap();
        assert!(message.contains("can't read the command") && message.len() < 300, "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
        // The refusal is stored like any other, and another command with its id is detected.
        let head = ship.head();
        assert_eq!(sam.sends(&batch).await, outcomes, "{strange}");
        assert_eq!(codes(&sam.sends(&[command_as(&unknown, on(&new, "release"))]).await), [Some("key_reused")]);
        assert_eq!(ship.head(), head);
    }
    assert_eq!(sam.request(&request).await["state"], "open");
}

#[tokio::test]
async fn a_character_that_no_database_takes_is_refused_wherever_it_stands() {
    let ship = Ship::sail().await;
    let (sam, alex) = (ship.sam().await, ship.alex().await);
    let request = sam.asks_for(1, "ice").await;
    let place = CABIN_1;
    let cases = [
        json!({ "type": "note_request", "request_id": request, "note_id": fresh_id(), "text": "a\u{0}b" }),
        json!({ "type": "cancel_request", "request_id": request, "reason": "a\u{0}b" }),
        json!({ "type": "create_request", "request_id": fresh_id(), "place_id": place, "kind": "call", "text": "\0" }),
        json!({ "type": "save_guest", "guest_id": fresh_id(), "name": "Mr\u{0}X" }),
        json!({ "type": "save_person", "person_id": fresh_id(), "name": "Mr\u{0}X", "role": "crew" }),
        json!({ "type": "create_button", "button_id": fresh_id(), "device": "a\u{0}b", "place_id": place }),
    ];
    for case in cases {
        // Between two valid commands: both neighbours are executed.
        let batch = [command(create(&fresh_id())), command(case.clone()), command(create(&fresh_id()))];
        let outcomes = alex.sends(&batch).await;
        assert_eq!(codes(&outcomes), [None, Some("invalid"), None], "{case}");
        assert_eq!(codes(&alex.sends(&batch).await), [None, Some("invalid"), None], "and again: {case}");
    }
    let (status, _) = sam.ask(reqwest::Method::GET, "/api/service-requests?state=%00", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}
