//! Guessed, changed and forgotten PINs: throttling of sign-ins, the entries about them, and the sessions that survive.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crewbell_server::actions::{ActionError, ChangeOwnSecret, SignIn, SignInWithSecret};
use crewbell_server::auth::Token;
use crewbell_server::db::people;
use crewbell_server::db::sessions::Session;
use crewbell_server::http::TrustedProxies;
use crewbell_server::jobs::age_sessions;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::{Actor, Person, Role};
use crewbell_shared::protocol::Source;
use jiff::SignedDuration;
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tracing::Level;

use crate::cast::{Crew, fresh_id, text};
use crate::ship::{PIN, Ship, id, soon};

struct Door {
    client: Client,
    url: String,
}

impl Door {
    fn of(ship: &Ship) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, url: format!("http://{}/api/auth/login", ship.server.http) }
    }

    async fn knock(&self, body: &Value, from: &str) -> Response {
        soon(self.client.post(&self.url).header("x-forwarded-for", from).json(body).send()).await.unwrap()
    }

    async fn status(&self, body: Value) -> StatusCode {
        self.knock(&body, "10.0.0.66").await.status()
    }
}

#[tokio::test]
async fn a_stranger_who_guesses_is_slowed_and_told_of_and_locks_nobody_out() {
    let ship = Ship::sail().await;
    let (door, tablet, alex) = (Door::of(&ship), fresh_id(), ship.alex().await);
    let mut told = alex.screen(None).await;
    let sam = json!({ "site": "serenity", "name": "Sam", "secret": PIN, "device_id": tablet });
    assert_eq!(door.status(sam.clone()).await, StatusCode::OK);

    // With or without the site, with any spelling of the name, with invented devices: one person, one attacker.
    let guesses = [
        json!({ "site": "serenity", "name": "Sam", "secret": "0000" }),
        json!({ "name": "sam", "secret": "0001" }),
        json!({ "name": " SAM ", "secret": "0002", "device_id": fresh_id() }),
        json!({ "site": "serenity", "name": "sAm", "secret": "0003", "device_id": fresh_id() }),
        json!({ "name": "Sam", "secret": "0004" }),
    ];
    for guess in &guesses {
        assert_eq!(door.status(guess.clone()).await, StatusCode::UNAUTHORIZED, "{guess}");
    }
    let slowed = door.knock(&json!({ "name": "Sam", "secret": PIN }), "10.0.0.66").await;
    assert_eq!(slowed.status(), StatusCode::TOO_MANY_REQUESTS, "also with the right PIN");
    let wait: u64 = slowed.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let said: Value = slowed.json().await.unwrap();
    assert_eq!((&said["code"], &said["details"]["retry_after_s"]), (&json!("slow_down"), &json!(wait)));
    assert!((1..=10).contains(&wait), "{wait}");

    // Sam's own tablet isn't throttled; nor are other people and presses.
    assert_eq!(door.status(sam).await, StatusCode::OK);
    assert_eq!(door.status(json!({ "name": "Siri", "secret": PIN })).await, StatusCode::OK);
    ship.gus_in(1).await.press("single").await;

    // People who lead see the entry, with the address and without the guess; the crew don't.
    let entry = told.see("person_sign_in_refused").await;
    assert_eq!(entry["payload"]["times"], 5);
    assert_eq!((&entry["payload"]["name"], &entry["payload"]["known_device"]), (&json!("Sam"), &json!(false)));
    assert_eq!(entry["payload"]["address"], "127.0.0.1");
    assert!(!entry.to_string().contains("0004"));
    let seen = ship.recruit("Nils", Role::Crew).await.get("/api/activity?category=people").await;
    assert!(!seen.to_string().contains("person_sign_in_refused"), "{seen}");

    // The wait ends.
    ship.clock.advance(SignedDuration::from_secs(i64::try_from(wait).unwrap()));
    assert_eq!(door.status(json!({ "name": "Sam", "secret": PIN })).await, StatusCode::OK);
}

#[tokio::test]
async fn a_colleague_on_the_same_tablet_learns_nothing_by_which_to_slow_another_there() {
    let ship = Ship::sail().await;
    let (door, tablet) = (Door::of(&ship), fresh_id());
    let on_it = |name: &str, secret: &str, tablet: &str| json!({ "site": "serenity", "name": name, "secret": secret, "device_id": tablet, "device_name": "the pantry's" });
    assert_eq!(door.status(on_it("Siri", PIN, &tablet)).await, StatusCode::OK);
    let response = door.knock(&on_it("Sam", PIN, &tablet), "10.0.0.66").await;
    let said: Value = response.json().await.unwrap();
    let (id, token) = (text(&said["person"]["id"]), text(&said["token"]));
    let sam = Crew::with_token(ship.server.http, "serenity", "Sam", id.clone(), token);
    let mut learned = vec![said];
    for path in ["/api/auth/me", &format!("/api/people/{id}/sessions"), "/api/people", "/api/sync/entries?after=0"] {
        let (status, said) = sam.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {said}");
        learned.push(said);
    }
    for said in learned.iter().map(Value::to_string) {
        assert!(!said.contains(&tablet), "{said}");
    }
    assert!(learned[2].to_string().contains("the pantry's"), "the tablet is there by its name");

    // Guesses with invented device ids are throttled, and Siri's own tablet isn't.
    for guess in 0..5 {
        let made_up = on_it("Siri", &format!("000{guess}"), &fresh_id());
        assert_eq!(door.status(made_up).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(door.status(on_it("Siri", PIN, &fresh_id())).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(door.status(on_it("Siri", PIN, &tablet)).await, StatusCode::OK);
}

/// Captured log output.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn wrong_pins_stand_in_the_log_and_the_metrics_and_what_was_typed_in_neither() {
    let ship = Ship::sail().await;
    let (door, tablet) = (Door::of(&ship), fresh_id());
    let right = json!({ "site": "serenity", "name": "Sam", "secret": PIN, "device_id": tablet });
    assert_eq!(door.status(right).await, StatusCode::OK);
    let (log, recorder) = (Log::default(), PrometheusBuilder::new().build_recorder());
    {
        let file = log.clone();
        let lines = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .with_writer(move || file.clone())
            .finish();
        // With a single dispatcher, a log line first reached by another test's thread would be cached as disabled by
        // that thread, which has no log.
        let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
        let _logging = tracing::subscriber::set_default(lines);
        let _counting = metrics::set_default_local_recorder(&recorder);
        let known = json!({ "site": "serenity", "name": "Sam", "secret": "083517", "device_id": tablet });
        assert_eq!(door.status(known).await, StatusCode::UNAUTHORIZED);
        // A person types their PIN into the name field.
        let nobody = json!({ "site": "serenity", "name": "917264", "secret": "083518" });
        for status in [StatusCode::UNAUTHORIZED; 5].into_iter().chain([StatusCode::TOO_MANY_REQUESTS]) {
            assert_eq!(door.status(nobody.clone()).await, status);
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let wrong: Vec<_> = log.lines().filter(|line| line.contains("A PIN or password was wrong.")).collect();
    let of = |words: &str| wrong.iter().filter(|line| line.contains(words) && line.contains("127.0.0.1")).count();
    assert_eq!((wrong.len(), of("known_device=true"), of("known_device=false")), (6, 1, 5), "{log}");
    let sam = id::<PersonId>(1).to_string();
    assert!(wrong.iter().any(|line| line.contains(&sam)), "{log}");
    for typed in ["083517", "083518", "917264"] {
        assert!(!log.contains(typed), "{log}");
    }
    let metrics = recorder.handle().render();
    for counted in [
        "sign_ins_wrong_total{device=\"known\"} 1",
        "sign_ins_wrong_total{device=\"unknown\"} 5",
        "sign_ins_slowed_total 1",
    ] {
        assert!(metrics.contains(counted), "{metrics}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_a_guesser_s_own_address_is_slowed_and_not_the_ship_s() {
    let trusted = TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let ship = Ship::sail_with(|settings| settings.proxies = trusted).await;
    let door = Door::of(&ship);
    let tries =
        async |secret: &str, from: &str| door.knock(&json!({ "name": "Sam", "secret": secret }), from).await.status();
    for _ in 0..5 {
        // Addresses that the client itself writes before the proxy's are ignored.
        assert_eq!(tries("0000", "1.2.3.4, 10.0.0.66").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(tries(PIN, "5.6.7.8, 10.0.0.66").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(tries(PIN, "10.0.0.7").await, StatusCode::OK, "a new device of Sam's, elsewhere");
}

async fn secret(person: &Crew, of: &str, body: Value) -> (StatusCode, Value) {
    person.ask(Method::PUT, &format!("/api/people/{of}/secret"), Some(body)).await
}

#[tokio::test]
async fn one_s_own_pin_takes_the_present_one_and_a_colleague_s_the_right() {
    let ship = Ship::sail().await;
    let (sam, alex) = (ship.sam().await, ship.alex().await);
    for (who, wrong) in [(&sam, json!({ "secret": "8251" })), (&alex, json!({ "secret": "8251", "current": "0000" }))] {
        let (status, said) = secret(who, &who.id, wrong).await;
        assert_eq!((status, &said["code"]), (StatusCode::FORBIDDEN, &json!("wrong_secret")), "{said}");
        assert_eq!(who.ask(Method::GET, "/api/auth/me", None).await.0, StatusCode::OK, "they stay signed in");
    }
    let (status, _) = secret(&sam, &alex.id, json!({ "secret": "8251", "current": PIN })).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "Sam may not set Alex's");
    let new = json!({ "secret": "8251", "current": PIN });
    assert_eq!(secret(&sam, &sam.id, new.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(sam.ask(Method::GET, "/api/auth/me", None).await.0, StatusCode::UNAUTHORIZED);
    let door = Door::of(&ship);
    assert_eq!(door.status(json!({ "name": "Sam", "secret": PIN })).await, StatusCode::UNAUTHORIZED);
    assert_eq!(door.status(json!({ "name": "Sam", "secret": "8251" })).await, StatusCode::OK);

    // Guessing on an unlocked tablet is throttled like guessing at sign-in.
    for guess in 0..4 {
        let body = json!({ "secret": "8251", "current": format!("{guess:04}") });
        assert_eq!(secret(&alex, &alex.id, body).await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(secret(&alex, &alex.id, new).await.0, StatusCode::TOO_MANY_REQUESTS);
    // Alex's new PIN, set by a person with the right, resets the throttling.
    let admin = ship.recruit("Nora", Role::Admin).await;
    assert_eq!(secret(&admin, &alex.id, json!({ "secret": "9362" })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(door.status(json!({ "name": "Alex", "secret": "9362" })).await, StatusCode::OK);
}

#[tokio::test]
async fn a_secret_that_was_changed_while_it_was_looked_at_opens_and_changes_nothing() {
    let ship = Ship::sail().await;
    let (registry, person_id) = (&ship.server.registry, id::<PersonId>(1));
    let old = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$old".to_owned();
    let at = registry.clock.now();
    let token = Token::new(ship.site.id, &registry.ids);
    let session = Session {
        id: registry.ids.next(at),
        person_id,
        device_id: registry.ids.next(at),
        device_name: "a tablet".into(),
        created_at: at,
        used_at: at,
    };
    let sign_in = SignIn { session, token_hash: token.hash() };
    let sam = {
        let mut tx = registry.db.read(ship.site.id).await.unwrap();
        people::find(&mut tx, ship.site.id, person_id).await.unwrap().unwrap()
    };
    let act = async |action| ship.site.act(action, Actor::Person(sam.clone()), Source::App).await;
    let code = |done: Result<_, ActionError>| match done {
        Err(ActionError::Refused(refusal)) => refusal.code.as_str(),
        other => panic!("{other:?}"),
    };
    let stale = SignInWithSecret { sign_in: sign_in.clone(), proof: old.clone() };
    assert_eq!(code(act(Box::new(stale)).await.map(drop)), "bad_credentials");
    let change = ChangeOwnSecret { proof: Some(old), hash: "new".into() };
    assert_eq!(code(act(Box::new(change)).await.map(drop)), "wrong_secret");
    assert_eq!(ship.count("select count(*) from sessions").await, 0);
    // A sign-in with the current proof succeeds.
    let proof = {
        let mut tx = registry.db.read(ship.site.id).await.unwrap();
        people::secret(&mut tx, ship.site.id, person_id).await.unwrap().unwrap()
    };
    act(Box::new(SignInWithSecret { sign_in, proof })).await.unwrap();
    let Person { name, .. } = sam;
    let sam = Crew::with_token(ship.server.http, "serenity", &name, person_id.to_string(), token.to_string());
    assert_eq!(sam.ask(Method::GET, "/api/auth/me", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_device_that_nobody_used_for_as_long_as_the_site_says_must_sign_in_anew() {
    let ship = Ship::sail().await;
    ship.settings(|settings| settings.session_days = 3).await;
    let (drawer, used, open) = (
        ship.recruit("Drawer", Role::Crew).await,
        ship.recruit("Used", Role::Crew).await,
        ship.recruit("Open", Role::Supervisor).await,
    );
    let mut screen = open.screen(None).await;
    let written = "select extract(epoch from max(used_at))::bigint from sessions";
    // Three whole days after the day of its last use.
    for day in 1..=4 {
        ship.clock.advance(SignedDuration::from_hours(24));
        let before = ship.count(written).await;
        assert_eq!(me(&used).await, StatusCode::OK);
        assert_eq!(ship.count(written).await, before, "a use writes nothing by itself");
        // Ageing several times on one day counts as once.
        for _ in 0..3 {
            age_sessions(&ship.site).await.unwrap();
        }
        let days = "select unused_days::bigint from sessions s join people p on p.id = s.person_id \
                    where p.name = 'Drawer' and s.ended_at is null";
        if day < 4 {
            assert_eq!(ship.count(days).await, day);
        }
    }
    assert_eq!(me(&drawer).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&used).await, StatusCode::OK);
    assert_eq!(me(&open).await, StatusCode::OK, "an open socket is a use");
    let entry = screen.see("person_session_expired").await;
    assert_eq!((&entry["payload"]["name"], &entry["payload"]["why"]), (&json!("Drawer"), &json!("unused")));

    // A clock that jumps by three years ends no session.
    ship.clock.advance(SignedDuration::from_hours(24 * 365 * 3));
    age_sessions(&ship.site).await.unwrap();
    assert_eq!(me(&used).await, StatusCode::OK);
}

async fn me(person: &Crew) -> StatusCode {
    person.ask(Method::GET, "/api/auth/me", None).await.0
}
