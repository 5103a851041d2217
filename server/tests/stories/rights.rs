//! Permissions of roles, and the end of sessions.

use crewbell_shared::person::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cast::{Crew, fresh_id, text};
use crate::ship::{PIN, Ship};

const CABIN_1: &str = "00000000-0000-0000-0000-000000000001";

/// Returns whether a person may execute a verb, by trying it.
async fn may(person: &Crew, verb: Value) -> bool {
    match person.does(verb.clone()).await.as_deref() {
        None => true,
        Some("not_allowed" | "not_yours") => false,
        Some(other) => panic!("{verb}: {other}"),
    }
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut rows = Vec::new();
    for role in Role::ALL {
        let person = ship.recruit(&format!("The {}", role.as_str()), role).await;
        let (own, others, third) =
            (sam.asks_for(1, "ice").await, sam.asks_for(2, "tea").await, sam.asks_for(3, "a pillow").await);
        sam.answer(&others, "accept").await;
        let (guest, stay) = (fresh_id(), fresh_id());
        let settings = json!({ "press_window_s": 20 + rows.len(), "retention_days": 400, "services": [] });
        let button = "00000000-0000-0000-0000-000000000002";
        let place = json!({ "type": "save_place", "place_id": fresh_id(), "name": role.as_str(), "kind": "crew" });
        let somebody =
            json!({ "type": "save_person", "person_id": fresh_id(), "name": role.as_str(), "role": "admin" });
        let asked = [
            ("accept", json!({ "type": "accept_request", "request_id": own })),
            ("complete another's", json!({ "type": "complete_request", "request_id": others })),
            ("cancel", json!({ "type": "cancel_request", "request_id": third })),
            ("move a button", json!({ "type": "assign_button", "button_id": button, "place_id": CABIN_1 })),
            ("make a place", place),
            ("make a guest", json!({ "type": "save_guest", "guest_id": guest, "name": "Mr Ito" })),
            ("go on duty", json!({ "type": "set_duty", "person_id": person.id, "on_duty": true })),
            (
                "send another on duty",
                json!({ "type": "set_duty", "person_id": sam.id, "on_duty": rows.len() % 2 == 0 }),
            ),
            ("make an admin", somebody),
            ("set the site up", json!({ "type": "save_settings", "settings": settings })),
        ];
        let mut row = Vec::new();
        for (what, verb) in asked {
            if may(&person, verb).await {
                row.push(what);
            }
        }
        let check_in = json!({ "type": "check_in", "stay_id": stay, "guest_id": guest, "place_id": CABIN_1 });
        assert_eq!(person.does(check_in).await.is_none(), row.contains(&"make a guest"));
        let me = person.get("/api/auth/me").await;
        assert_eq!(me["person"]["role"], role.as_str());
        assert_eq!(me["rights"].as_array().unwrap().contains(&json!("edit_site")), row.contains(&"set the site up"));
        rows.push((role, row));
    }
    let lead = [
        "accept",
        "complete another's",
        "cancel",
        "move a button",
        "make a place",
        "make a guest",
        "go on duty",
        "send another on duty",
    ];
    let admin = [&lead[..], &["make an admin", "set the site up"]].concat();
    let expected = [
        (Role::Crew, vec!["accept", "cancel", "go on duty"]),
        (Role::Supervisor, lead.to_vec()),
        (Role::Technician, vec!["accept", "go on duty"]),
        (Role::Dispatcher, lead.to_vec()),
        (Role::Admin, admin),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn over_rest_a_missing_right_is_forbidden_and_names_the_right() {
    let ship = Ship::sail().await;
    let (sam, tom) = (ship.sam().await, ship.crew("Tom").await);
    let id = sam.asks_for(1, "ice").await;
    let (status, said) = tom.answer(&id, "cancel").await;
    assert_eq!((status, &said["code"]), (StatusCode::FORBIDDEN, &json!("not_allowed")));
    assert_eq!(said["details"]["right"], "cancel_requests");
    assert_eq!(sam.request(&id).await["state"], "open");
}

#[tokio::test]
async fn an_admin_can_not_take_their_own_rights_away() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    for (role, active) in [("crew", true), ("admin", false)] {
        let verb =
            json!({ "type": "save_person", "person_id": alex.id, "name": "Alex", "role": role, "active": active });
        assert_eq!(alex.does(verb).await.as_deref(), Some("not_allowed"));
    }
}

async fn login(ship: &Ship, body: Value) -> (StatusCode, Value) {
    let stranger = Crew::with_token(ship.server.http, "serenity", "nobody", String::new(), String::new());
    stranger.post("/api/auth/login", body).await
}

#[tokio::test]
async fn a_wrong_pin_an_unknown_name_and_an_unknown_site_are_answered_alike() {
    let ship = Ship::sail().await;
    let right = json!({ "site": "serenity", "name": "Sam", "secret": PIN });
    let (status, said) = login(&ship, right.clone()).await;
    assert_eq!((status, &said["site"]), (StatusCode::OK, &json!("serenity")));
    let mut wrong = Vec::new();
    for (field, value) in [("secret", "0000"), ("name", "Nobody"), ("site", "titanic"), ("secret", "")] {
        let mut body = right.clone();
        body[field] = value.into();
        wrong.push(login(&ship, body).await);
    }
    assert_eq!(wrong[0].0, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong[0].1["code"], "bad_credentials");
    assert!(wrong.iter().all(|answer| *answer == wrong[0]), "{wrong:?}");
    // Names ignore case and surrounding spaces.
    let sloppy = json!({ "site": "serenity", "name": " sAM ", "secret": PIN });
    assert_eq!(login(&ship, sloppy).await.0, StatusCode::OK);
    // With a single site its name can be omitted.
    assert_eq!(login(&ship, json!({ "name": "Sam", "secret": PIN })).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_token_ends_with_its_session_and_with_a_new_pin() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let phone = sam.second_device().await;
    let me = |person: Crew| async move { person.ask(Method::GET, "/api/auth/me", None).await.0 };
    assert_eq!(me(sam.clone()).await, StatusCode::OK);
    assert_eq!(sam.post("/api/auth/logout", json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(me(sam.clone()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sam.post("/api/auth/logout", json!({})).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(me(phone.clone()).await, StatusCode::OK);
    ship.new_pin(&phone.id).await;
    assert_eq!(me(phone.clone()).await, StatusCode::UNAUTHORIZED);

    // The same device signing in again replaces its session.
    let device = fresh_id();
    let body = json!({ "site": "serenity", "name": "Sam", "secret": PIN, "device_id": device });
    let first = text(&login(&ship, body.clone()).await.1["token"]);
    let second = text(&login(&ship, body).await.1["token"]);
    let with = |token| Crew::with_token(ship.server.http, "serenity", "Sam", phone.id.clone(), token);
    assert_eq!(me(with(first)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(with(second)).await, StatusCode::OK);
    let tokens = "select count(*) from sessions where octet_length(token_hash) <> 32";
    assert_eq!(ship.count(tokens).await, 0, "only hashes are kept");
}
