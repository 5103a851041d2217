//! Names are compared by Rust, independent of the database's locale.

use crewbell_server::db::migrate;
use crewbell_shared::person::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cast::{Crew, fresh_id};
use crate::database::made;
use crate::ship::Ship;

/// Options of a database in a cluster with the locale C, which knows the case of ASCII letters only.
const PLAIN_C: &str = "encoding 'UTF8' lc_collate 'C' lc_ctype 'C'";

#[tokio::test]
async fn names_are_one_in_any_case_and_typing_whatever_the_database_s_locale() {
    let ship = Ship::sail_on(made(PLAIN_C).await).await;
    let alex = ship.alex().await;
    ship.recruit("Željka", Role::Crew).await;
    ship.pin_of("ŽELJKA").await;
    for typed in ["Željka", "željka", "ŽELJKA", " z\u{30c}eljka "] {
        let signed_in = Crew::sign_in(ship.server.http, "serenity", typed).await;
        assert_eq!(signed_in.get("/api/auth/me").await["person"]["name"], "Željka", "{typed}");
    }

    let person = |name: &str| json!({ "type": "save_person", "person_id": fresh_id(), "name": name, "role": "crew", "active": true });
    let place = |name: &str| json!({ "type": "save_place", "place_id": fresh_id(), "name": name, "kind": "shared" });
    assert_eq!(alex.does(place("ČAMAC")).await, None);
    for (verb, expected) in [
        (person("želJka"), Some("name_taken")),
        (person("Z\u{30c}eljka"), Some("name_taken")),
        (person("Zeljka"), None),
        (place("čamac"), Some("name_taken")),
        (place("C\u{30c}amac"), Some("name_taken")),
        (place("Camac"), None),
        (place("Straße"), None),
        (place("STRASSE"), Some("name_taken")),
    ] {
        assert_eq!(alex.does(verb.clone()).await.as_deref(), expected, "{verb}");
    }
    // A place may be renamed to an equivalent spelling of its own name.
    let (status, places) = alex.ask(Method::GET, "/api/places", None).await;
    assert!(status.is_success());
    let camac = places["items"].as_array().unwrap().iter().find(|item| item["name"] == "ČAMAC").unwrap();
    let renamed = json!({ "type": "save_place", "place_id": camac["id"], "name": "C\u{30c}amac", "kind": "shared" });
    assert_eq!(alex.does(renamed).await, None);

    // A name typed with combining marks is stored, returned and found in composed form.
    let found = async |words: &str| {
        let page: Value = alex.get(&format!("/api/activity?q={words}&category=places&limit=50")).await;
        page["items"].as_array().unwrap().iter().map(|item| item["payload"]["name"].clone()).collect::<Vec<_>>()
    };
    let both = [json!("Čamac"), json!("ČAMAC")];
    for words in ["%C4%8Damac", "%C4%8CAMAC", "c%CC%8Cam", "%C4%8Camac"] {
        assert_eq!(found(words).await, both, "{words}");
    }
    assert_eq!(found("strasse").await, [json!("Straße")]);
    assert_eq!(found("100%25").await, Vec::<Value>::new());
    assert_eq!(found("Cabin%20(").await, Vec::<Value>::new(), "what is special in a pattern stands for itself");
}

#[tokio::test]
async fn a_database_that_can_t_hold_every_name_is_refused_with_the_reason() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let db = made(&format!("encoding '{encoding}' lc_collate 'C' lc_ctype 'C'")).await;
        let refused = migrate(&db).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("is encoded as {encoding}")), "{refused}");
        assert!(refused.contains("encoding 'UTF8'"), "it says what to do: {refused}");
    }
}
