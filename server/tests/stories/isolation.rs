//! Isolation of two sites on one server.

use base64::Engine;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::ids::{GuestId, PlaceId};
use crewbell_shared::place::PlaceKind;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::Verb;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::cast::{Crew, Screen, command_as, fresh_id};
use crate::database;
use crate::ship::{PIN, Ship, found, id};

/// A marker in all of the Serenity's own data.
const SECRET: &str = "of-serenity";

struct Port {
    ship: Ship,
    /// A crew member of the Serenity.
    sam: Crew,
    /// A crew member of the Aurora.
    mara: Crew,
    /// A request of the Serenity.
    request: String,
}

/// Creates the Serenity with marked data, and the Aurora on the same server.
async fn port() -> Port {
    let ship = Ship::sail().await;
    found(&ship.server, 200, "aurora").await;
    let name = format!("Lord {SECRET}");
    ship.set_up(Verb::Guest(GuestVerb::Save { guest_id: id::<GuestId>(77), name, notes: SECRET.into() })).await;
    let name = format!("Vault {SECRET}");
    ship.set_up(Verb::Place(PlaceVerb::Save {
        place_id: id::<PlaceId>(77),
        parent_id: None,
        name,
        kind: PlaceKind::Crew,
        position: 0,
    }))
    .await;
    let sam = ship.sam().await;
    let mara = Crew::sign_in(ship.server.http, "aurora", "Alex").await;
    let request = sam.asks_for(77, SECRET).await;
    Port { ship, sam, mara, request }
}

fn says_secret(answer: &Value) -> bool {
    let text = answer.to_string();
    text.contains(SECRET) || text.contains("serenity")
}

#[tokio::test]
async fn no_door_tells_one_site_of_the_other() {
    let Port { sam, mara, request, .. } = port().await;
    let document = serde_json::to_value(crewbell_server::http::openapi()).unwrap();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        // The sign-in page's list of sites is public, and holds only their names.
        let open = ["/api/live", "/api/events", "/api/server", "/metrics"];
        if methods.get("get").is_none() || open.contains(&path.as_str()) {
            continue;
        }
        let ids =
            [request.clone(), sam.id.clone(), id::<uuid::Uuid>(77).to_string(), id::<uuid::Uuid>(100).to_string()];
        for id in ids {
            let mut path = path.clone();
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                path.replace_range(from..=to, &id);
            }
            for query in ["", "?after=0", &format!("?place_id={id}"), &format!("?accepted_by={id}&site=serenity")] {
                let (status, answer) = mara.ask(Method::GET, &format!("{path}{query}"), None).await;
                assert!(!status.is_server_error(), "{path}{query}: {status}");
                assert!(!says_secret(&answer), "{path}{query} tells: {answer}");
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "{asked}");
    // Sam does get the marker from the same paths, so the test can fail.
    for path in ["/api/service-requests", "/api/sync/snapshot", "/api/sync/entries?after=0", "/api/auth/me"] {
        assert!(says_secret(&sam.get(path).await), "{path}");
    }
}

#[tokio::test]
async fn no_command_reaches_an_entity_of_the_other_site() {
    let Port { ship, sam, mara, request } = port().await;
    let before = ship.head();
    let (guest, place) = (id::<uuid::Uuid>(77), id::<uuid::Uuid>(77));
    let verbs = [
        json!({ "type": "accept_request", "request_id": request }),
        json!({ "type": "release_request", "request_id": request }),
        json!({ "type": "complete_request", "request_id": request }),
        json!({ "type": "cancel_request", "request_id": request }),
        json!({ "type": "hand_over_request", "request_id": request, "to": mara.id }),
        json!({ "type": "note_request", "request_id": request, "note_id": fresh_id(), "text": "ours now" }),
        json!({ "type": "create_request", "request_id": fresh_id(), "place_id": place, "kind": "call" }),
        json!({ "type": "set_do_not_disturb", "place_id": place, "on": true }),
        json!({ "type": "check_in", "stay_id": fresh_id(), "guest_id": guest, "place_id": id::<uuid::Uuid>(1) }),
        json!({ "type": "check_in", "stay_id": fresh_id(), "guest_id": id::<uuid::Uuid>(5), "place_id": place }),
        json!({ "type": "assign_button", "button_id": id::<uuid::Uuid>(1), "place_id": place }),
    ];
    for verb in verbs {
        assert_eq!(mara.does(verb.clone()).await.as_deref(), Some("not_found"), "{verb}");
    }
    for verb in ["accept", "release", "complete", "cancel"] {
        let (status, said) = mara.answer(&request, verb).await;
        assert_eq!((status, &said["code"]), (StatusCode::NOT_FOUND, &json!("not_found")), "{verb}");
    }
    // The same ids are other entities on the other site, and an idempotency key of one site is unused on the other.
    let key = fresh_id();
    let rename = |name: &str| json!({ "type": "save_guest", "guest_id": guest, "name": name });
    assert_eq!(mara.sends(&[command_as(&key, rename("Mr Nobody"))]).await[0]["refusal"], Value::Null);
    let duty = command_as(&key, json!({ "type": "set_duty", "person_id": sam.id, "on_duty": true }));
    assert_eq!(sam.sends(&[duty]).await[0]["refusal"], Value::Null);
    assert_eq!(ship.head(), before + 1, "only Sam's duty");
    let names = "select count(*) from guests where id = '00000000-0000-0000-0000-00000000004d'";
    assert_eq!(ship.count(names).await, 2);
    assert_eq!(sam.request(&request).await["state"], "open");
}

#[tokio::test]
async fn a_screen_of_one_site_hears_nothing_of_the_other() {
    let Port { ship, sam, mara, .. } = port().await;
    let mut screen = mara.screen(Some(0)).await;
    let mut seen = screen.until("person_signed_in").await;
    sam.asks_for(77, SECRET).await;
    ship.gus_in(1).await.press("single").await;
    let own = mara.asks_for(1, "ice").await;
    seen.push(screen.next().await);
    assert_eq!(seen.last().unwrap()["payload"]["id"], own.as_str(), "what happened on the Serenity came before");
    assert!(seen.iter().all(|entry| !says_secret(entry) && entry["meta"]["site"] == "aurora"));

    // A token with another site's id in it is invalid.
    let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = base64.decode(&mara.token).unwrap();
    bytes[..16].copy_from_slice(ship.site.id.0.as_bytes());
    let forged = base64.encode(bytes);
    let thief = Crew::with_token(mara.address, "serenity", "thief", mara.id.clone(), forged.clone());
    assert_eq!(thief.ask(Method::GET, "/api/auth/me", None).await.0, StatusCode::UNAUTHORIZED);
    let mut screen = Screen::open(mara.address).await;
    screen.say(&json!({ "t": "hello", "token": forged, "cursor": 0 }).to_string()).await;
    assert_eq!(screen.refusal().await, "not_signed_in");
}

#[tokio::test]
async fn a_name_and_pin_of_one_site_open_nothing_on_the_other() {
    let Port { ship, mara, .. } = port().await;
    let name = format!("Only {SECRET}");
    ship.recruit(&name, crewbell_shared::person::Role::Crew).await;
    ship.pin_of(&name).await;
    let login = async |site: Option<&str>| {
        let body = json!({ "site": site, "name": name, "secret": PIN });
        mara.post("/api/auth/login", body).await
    };
    assert_eq!(login(Some("serenity")).await.0, StatusCode::OK);
    let (status, said) = login(Some("aurora")).await;
    assert_eq!((status, &said["code"]), (StatusCode::UNAUTHORIZED, &json!("bad_credentials")));
    assert_eq!(login(None).await.0, StatusCode::UNAUTHORIZED, "with two sites, one must be named");
    // A button's credentials are valid for its own site only.
    let let_in =
        crate::cast::Gus::try_connect(ship.server.mqtt.unwrap(), "cabin-1", "titanic/cabin-1", "secret-1").await;
    assert!(!let_in);
}

/// Connects as the server's own role, with a site selected or none.
async fn server_role(ship: &Ship, site: Option<&str>) -> PgConnection {
    let mut conn = PgConnection::connect_with(&ship.db.server).await.unwrap();
    if let Some(site) = site {
        sqlx::query("select set_config('crewbell.site_id', $1, false)").bind(site).execute(&mut conn).await.unwrap();
    }
    conn
}

#[tokio::test]
async fn the_database_is_the_second_wall() {
    let Port { ship, .. } = port().await;
    let (serenity, aurora) = (id::<uuid::Uuid>(100), id::<uuid::Uuid>(200));
    let mut root = database::superuser(&ship.db).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns where table_schema = 'public' \
         and column_name = 'site_id' and table_name not like 'entries_archive_%' order by 1",
    )
    .fetch_all(&mut root)
    .await
    .unwrap();
    assert!(tables.len() >= 13, "{tables:?}");
    let count = async |conn: &mut PgConnection, table: &str, of: uuid::Uuid| -> i64 {
        let sql = format!("select count(*) from {table} where site_id = $1");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(of).fetch_one(conn).await.unwrap()
    };
    let mut as_aurora = server_role(&ship, Some(&aurora.to_string())).await;
    let mut as_nobody = server_role(&ship, None).await;
    let mut filled = 0;
    for table in &tables {
        filled += i32::from(count(&mut root, table, serenity).await > 0);
        assert_eq!(count(&mut as_aurora, table, serenity).await, 0, "{table}");
        assert_eq!(count(&mut as_nobody, table, serenity).await, 0, "{table}");
        assert_eq!(count(&mut as_aurora, table, aurora).await, count(&mut root, table, aurora).await, "{table}");
    }
    assert!(filled >= 8, "there must be something to hide");

    let insert = "insert into guests (site_id, id, name, notes) values ($1, gen_random_uuid(), 'x', '')";
    let refused = sqlx::query(insert).bind(serenity).execute(&mut as_aurora).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
    sqlx::query(insert).bind(aurora).execute(&mut as_aurora).await.unwrap();
    let moved = sqlx::query("update guests set site_id = $1").bind(serenity).execute(&mut as_aurora).await.unwrap_err();
    assert!(moved.to_string().contains("row-level security"), "{moved}");
    for sql in ["update sites set name = 'x' where id = $1", "delete from guests where site_id = $1"] {
        let done = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(serenity).execute(&mut as_aurora).await.unwrap();
        assert_eq!(done.rows_affected(), 0, "{sql}");
    }
}

#[tokio::test]
async fn the_server_s_role_can_not_touch_the_schema_nor_the_past() {
    let ship = Ship::sail().await;
    let mut conn = server_role(&ship, Some(&id::<uuid::Uuid>(100).to_string())).await;
    for sql in [
        "create table mine (id int)",
        "create schema mine",
        "create role mine",
        "alter table people add column mine int",
        "alter table people disable row level security",
        "drop policy own_site on people",
        "create policy mine on people using (true)",
        "drop table entries",
        "truncate entries",
        "update entries set actor_name = 'somebody else'",
        "update entries_archive set actor_name = 'somebody else'",
        "delete from entries_archive",
        "delete from sites",
        "drop index people_name_key",
        "create or replace function current_site() returns uuid language sql as 'select null::uuid'",
        "alter role crewbell_server bypassrls",
        "set role crewbell_owner",
        "set session authorization crewbell_owner",
        "copy people to program 'cat'",
        "select pg_read_file('/etc/hostname')",
    ] {
        let refused = conn.execute(sql).await.expect_err(sql).to_string();
        let no = ["permission denied", "must be owner", "must be superuser", "Only roles with"];
        assert!(no.iter().any(|no| refused.contains(no)), "{sql}: {refused}");
    }
    let role =
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user";
    let mighty: bool = sqlx::query_scalar(role).fetch_one(&mut conn).await.unwrap();
    assert!(!mighty);
}
