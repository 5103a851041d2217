//! The writer when an action of a batch fails: the outcome of that action, and of its neighbours.

use crewbell_shared::button::ButtonVerb;
use crewbell_shared::request::RequestVerb;
use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crewbell_server::actions::{
    Action, ActionContext, ActionError, Effects, Execute, Prove, ReadSet, UnitOfWork, digest,
};
use crewbell_shared::Refusal;
use crewbell_shared::ids::{ButtonId, PlaceId, RequestId};
use crewbell_shared::person::{Actor, Role};
use crewbell_shared::protocol::{Source, Verb};
use crewbell_shared::request::Kind;
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::cast::{Gus, command, command_as, fresh_id, text};
use crate::database::{self, superuser};
use crate::foreign::until;
use crate::ship::{Ship, id, soon};

const CABIN_1: &str = "00000000-0000-0000-0000-000000000001";

/// An action that panics at one of its steps.
#[derive(Debug)]
enum Panics {
    Asking,
    Deciding,
}

impl Action for Panics {
    fn reads(&self, _: &mut ReadSet) {
        assert!(matches!(self, Self::Deciding), "a fault while asking");
    }

    fn decide(&self, _: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        panic!("a fault while deciding")
    }
}

fn create(ship: &Ship) -> Box<dyn Action> {
    let request_id: RequestId = ship.server.registry.ids.next(ship.clock.now());
    let place_id: PlaceId = id(1);
    Box::new(Execute(Verb::Request(RequestVerb::Create {
        request_id,
        place_id,
        kind: Kind::Call,
        service: None,
        priority: None,
        text: None,
    })))
}

/// Returns the status and the body of the readiness endpoint.
pub async fn ready(ship: &Ship) -> (StatusCode, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(format!("http://{}/readyz", ship.server.http)).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

/// Returns the number of connections that wait for a lock.
async fn waiting(root: &mut PgConnection) -> i64 {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    sqlx::query_scalar(sql).fetch_one(root).await.unwrap()
}

/// Waits until a connection waits for a lock.
pub async fn somebody_waits(ship: &Ship) {
    until("somebody waits for a lock", || async { waiting(&mut superuser(&ship.db).await).await > 0 }).await;
}

#[tokio::test]
async fn an_action_that_panics_is_alone_with_it() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    for fault in [Panics::Asking, Panics::Deciding] {
        let mut actions: Vec<Box<dyn Action>> = (0..9).map(|_| create(&ship)).collect();
        actions.insert(4, Box::new(fault));
        let done = join_all(actions.into_iter().map(|one| ship.site.act(one, Actor::System, Source::App))).await;
        for (place, done) in done.into_iter().enumerate() {
            if place == 4 {
                assert_eq!(done, Err(ActionError::Internal));
            } else {
                assert!(done.is_ok_and(|done| done.seq.is_some()), "{place}");
            }
        }
    }
    // Later presses and all readers work as well.
    ship.gus_in(1).await.press("double").await;
    for _ in 0..18 {
        screen.see("request_created").await;
    }
    assert_eq!(ready(&ship).await.0, StatusCode::OK);
    assert_eq!(ship.count("select count(*) from requests").await, 19);
}

#[tokio::test]
async fn a_server_whose_writer_can_t_write_is_not_ready_until_it_can() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    // As on a full disk: the database answers, and accepts no write.
    let full = "create function full_disk() returns trigger language plpgsql as $$ begin \
                raise exception 'no space left' using errcode = '53100'; end $$; \
                create trigger full_disk before insert on entries execute function full_disk(); \
                create trigger full_disk before update on sites execute function full_disk()";
    sqlx::raw_sql(full).execute(&mut root).await.unwrap();
    assert_eq!(ready(&ship).await.0, StatusCode::OK, "nobody has tried yet");
    for _ in 0..2 {
        assert_eq!(ship.site.act(create(&ship), Actor::System, Source::App).await, Err(ActionError::Unavailable));
        let not = (StatusCode::SERVICE_UNAVAILABLE, "a site's writer can't write\n".to_owned());
        assert_eq!(ready(&ship).await, not);
    }
    sqlx::raw_sql("drop trigger full_disk on entries; drop trigger full_disk on sites")
        .execute(&mut root)
        .await
        .unwrap();
    assert_eq!(ready(&ship).await.0, StatusCode::OK, "though nobody has pressed since");
    let head = ship.head();
    assert!(ship.site.act(Box::new(Prove), Actor::System, Source::Server).await.is_ok());
    assert_eq!(ship.head(), head, "a proof is no entry");
}

#[tokio::test]
async fn a_commit_whose_outcome_is_unknown_is_not_tried_again_by_the_server() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    // Refused at the commit, with a code that means a permanent refusal; a sequence isn't rolled back.
    let late = "create sequence attempts; grant usage on attempts to public; \
                create function late() returns trigger language plpgsql as $$ begin perform nextval('attempts'); \
                raise exception 'too late' using errcode = '23514'; end $$; \
                create constraint trigger late after insert on entries deferrable initially deferred \
                for each row execute function late()";
    sqlx::raw_sql(late).execute(&mut root).await.unwrap();
    assert_eq!(ship.site.act(create(&ship), Actor::System, Source::App).await, Err(ActionError::Unavailable));
    assert_eq!(ship.count("select last_value from attempts").await, 1);
    root.execute("drop trigger late on entries").await.unwrap();
    assert!(ship.site.act(create(&ship), Actor::System, Source::App).await.is_ok());
}

#[tokio::test]
async fn what_the_database_refuses_for_good_is_a_refusal_and_its_neighbours_are_done() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    let mut root = superuser(&ship.db).await;
    // A constraint of the database that our rules don't have, and a value that it can't store.
    root.execute("alter table requests add constraint no_ice check (text <> 'ice')").await.unwrap();
    let never = "create function never() returns trigger language plpgsql as $$ begin if new.text = 'never' then \
                 raise exception 'out of range' using errcode = '22008'; end if; return new; end $$; \
                 create trigger never before insert on requests for each row execute function never()";
    sqlx::raw_sql(never).execute(&mut root).await.unwrap();
    let create = |text: &str| json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call", "text": text });
    for no in ["ice", "never"] {
        let batch = [command(create("tea")), command(create(no)), command(create("milk"))];
        let outcomes = alex.sends(&batch).await;
        let codes: Vec<_> = outcomes.iter().map(|outcome| outcome["refusal"]["code"].as_str()).collect();
        assert_eq!(codes, [None, Some("invalid"), None], "{no}");
        assert_eq!(alex.sends(&batch).await, outcomes, "and again the same");
    }
    // Many at once, two of them bad: the batch is run as one transaction, and then in halves.
    let sent = ["a", "b", "ice", "c", "d", "e", "never", "f"]
        .map(|text| (text, json!({ "commands": [command(create(text))] })));
    let said =
        join_all(sent.iter().map(async |(text, body)| (*text, alex.post("/api/commands", body.clone()).await))).await;
    for (text, (status, body)) in said {
        let code = body["outcomes"][0]["refusal"]["code"].as_str();
        assert_eq!((status, code), (StatusCode::OK, (text.len() > 1).then_some("invalid")), "{text}: {body}");
    }
}

#[tokio::test]
async fn a_time_at_which_nobody_acts_is_refused_at_once_and_holds_nobody_up() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let create = || json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call" });
    let times = [
        "-009999-01-02T00:00:00Z",
        "-004713-11-23T23:59:59Z",
        "-000001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "9999-12-31T12:00:00Z",
    ];
    for time in times {
        let mut bad = create();
        bad["made_at"] = time.into();
        let batch = [command(create()), command(bad), command(create())];
        let outcomes = sam.sends(&batch).await;
        let codes: Vec<_> = outcomes.iter().map(|outcome| outcome["refusal"]["code"].as_str()).collect();
        assert_eq!(codes, [None, Some("invalid"), None], "{time}");
        // A value that can be parsed as a time is refused with its field; another can't be parsed at all.
        let details = &outcomes[1]["refusal"]["details"];
        assert!(details["field"] == "made_at" || details["what"] == "command", "{time}: {details}");
        assert_eq!(sam.sends(&batch).await, outcomes, "{time}");
    }
    // A time in the future is accepted: such a clock is off by less.
    let mut ahead = create();
    ahead["made_at"] = "2999-01-01T00:00:00Z".into();
    assert!(sam.sends(&[command(ahead)]).await[0]["refusal"].is_null());

    // Times in queries, and in a device's report of its own clock.
    for path in ["/api/service-requests", "/api/activity", "/api/activity.csv", "/api/calls"] {
        for time in times {
            let (status, body) = sam.ask(Method::GET, &format!("{path}?from={time}&limit=1"), None).await;
            let known = [StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::FORBIDDEN];
            assert!(known.contains(&status), "{path} from {time}: {status} {body}");
        }
    }
    let mut gus = ship.gus_in(2).await;
    for (number, time) in times.into_iter().enumerate() {
        let press = json!({ "press_id": format!("t-{number}"), "kind": "single", "key": "main", "timestamp": time });
        assert_eq!(gus.tell("obedio/button/cabin-2/pressed", press).await, "Success", "{time}");
    }
    assert_eq!(ship.count("select count(*) from presses").await, i64::try_from(times.len()).unwrap());
}

/// Presses so many times, one after the other, and returns the median time to the PUBACK.
async fn median_of(gus: &mut Gus, presses: usize) -> Duration {
    let mut took = Vec::with_capacity(presses);
    for _ in 0..presses {
        let began = Instant::now();
        gus.press("single").await;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    took[presses / 2]
}

#[tokio::test]
async fn fifty_clients_that_send_what_the_database_can_never_take_are_refused_and_slow_no_press() {
    let ship = Ship::sail().await;
    let mut crew = Vec::new();
    for number in 0..50 {
        crew.push(ship.recruit(&format!("Steward {number}"), Role::Crew).await);
    }
    let mut gus = ship.gus_in(1).await;
    let before = median_of(&mut gus, 20).await;
    let is_over = Cell::new(false);
    let sending = join_all(crew.iter().map(async |who| {
        let mut refused = 0_usize;
        // Each sends at least one, and goes on as long as there are presses.
        while refused == 0 || !is_over.get() {
            let mut never =
                json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call" });
            never["made_at"] = "-009999-01-02T01:59:59Z".into();
            let outcome = who.sends(&[command(never)]).await.remove(0);
            let refusal = &outcome["refusal"];
            assert_eq!((&refusal["code"], &refusal["details"]["field"]), (&json!("invalid"), &json!("made_at")));
            refused += 1;
        }
        refused
    }));
    let pressing = async {
        let median = median_of(&mut gus, 40).await;
        is_over.set(true);
        median
    };
    let (refused, meanwhile) = tokio::join!(sending, pressing);
    println!("PUBACK in {before:?}, and in {meanwhile:?} beside {} refusals", refused.iter().sum::<usize>());
    // On a slow machine the time for fifty clients more counts.
    assert!(meanwhile < Duration::from_secs(2).max(20 * before), "{meanwhile:?}, and {before:?} without them");
    assert_eq!(ship.count("select count(*) from presses").await, 60);
    let of_commands = "select count(*) from requests where created_by is not null";
    assert_eq!(ship.count(of_commands).await, 0);
}

#[tokio::test]
async fn a_press_or_command_that_another_server_was_faster_with_is_the_same_one() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut other = superuser(&ship.db).await;

    // The other server has recorded the press, and not yet committed when this one reads.
    let mut gus = ship.gus_in(1).await;
    let mut tx = other.begin().await.unwrap();
    let press = "insert into presses (site_id, id, button_id, press_key, kind, key, received_at) \
                 select site_id, gen_random_uuid(), id, 'twice', 'single', 'main', now() from buttons where device = 'cabin-1'";
    tx.execute(press).await.unwrap();
    let pressed = gus.press_as("twice", "single", "main");
    let ((), ()) = tokio::join!(pressed, async {
        somebody_waits(&ship).await;
        tx.commit().await.unwrap();
    });
    assert_eq!(ship.count("select count(*) from presses").await, 1);
    assert_eq!(ship.count("select count(*) from requests").await, 0, "the other server's press made its own");

    // The same with a command: the answer is the other server's.
    let command_id = fresh_id();
    let mut tx = other.begin().await.unwrap();
    let decided =
        "insert into commands (site_id, id, verb, digest, at) select id, $1, 'accept_request', '', now() from sites";
    sqlx::query(decided).bind(command_id.parse::<Uuid>().unwrap()).execute(&mut *tx).await.unwrap();
    let create = json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call" });
    let batch = [command_as(&command_id, create)];
    let (outcomes, ()) = tokio::join!(sam.sends(&batch), async {
        somebody_waits(&ship).await;
        tx.commit().await.unwrap();
    });
    assert_eq!(outcomes[0]["refusal"]["code"], "key_reused", "it was another command there");
    assert_eq!(ship.count("select count(*) from requests").await, 0);

    // Sam's tablet sent it to both servers: it is executed once, and the answer is the other server's.
    let command_id = fresh_id();
    let create = json!({ "type": "create_request", "request_id": fresh_id(), "place_id": CABIN_1, "kind": "call" });
    let (verb, digest) = digest(&serde_json::from_value(create.clone()).unwrap()).unwrap();
    let mut tx = other.begin().await.unwrap();
    let decided = "insert into commands (site_id, id, person_id, verb, digest, at, seq) \
                   select id, $1, $2, $3, $4, now(), 4711 from sites";
    let decided = sqlx::query(decided).bind(command_id.parse::<Uuid>().unwrap()).bind(sam.id.parse::<Uuid>().unwrap());
    decided.bind(verb).bind(digest).execute(&mut *tx).await.unwrap();
    let batch = [command_as(&command_id, create)];
    let (outcomes, ()) = tokio::join!(sam.sends(&batch), async {
        somebody_waits(&ship).await;
        tx.commit().await.unwrap();
    });
    assert_eq!((&outcomes[0]["seq"], &outcomes[0]["refusal"]), (&json!(4711), &json!(null)), "{outcomes:?}");
    assert_eq!(ship.count("select count(*) from commands where seq = 4711").await, 1);
    assert_eq!(ship.count("select count(*) from requests").await, 0);
}

#[tokio::test]
async fn a_press_whose_button_another_server_makes_at_the_same_moment_is_recorded() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    let mut other = superuser(&ship.db).await;
    let mut gus = ship.newcomer("deck-9").await;
    let button = "insert into buttons (site_id, id, device, state, memory) \
                  select id, gen_random_uuid(), 'deck-9', 'new', '{}' from sites";
    let mut tx = other.begin().await.unwrap();
    tx.execute(button).await.unwrap();
    tokio::join!(gus.press("single"), async {
        somebody_waits(&ship).await;
        tx.commit().await.unwrap();
    });
    assert_eq!(ship.count("select count(*) from buttons where device = 'deck-9'").await, 1);
    let pressed = "select count(*) from presses p join buttons b on b.id = p.button_id where b.device = 'deck-9'";
    assert_eq!(ship.count(pressed).await, 1);

    // A person who creates the button by hand is told that it exists.
    let mut tx = other.begin().await.unwrap();
    sqlx::raw_sql("delete from presses; delete from buttons where device = 'deck-9'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = other.begin().await.unwrap();
    tx.execute(button).await.unwrap();
    let create = json!({ "type": "create_button", "button_id": fresh_id(), "device": "deck-9", "place_id": CABIN_1 });
    let (refused, ()) = tokio::join!(alex.does(create.clone()), async {
        somebody_waits(&ship).await;
        tx.commit().await.unwrap();
    });
    assert_eq!(refused.as_deref(), Some("name_taken"));
    assert_eq!(alex.does(create).await.as_deref(), Some("name_taken"), "and the next time too");
    assert_eq!(ship.count("select count(*) from buttons where device = 'deck-9'").await, 1);
}

#[tokio::test]
async fn a_press_whose_identity_is_taken_rings_without_it() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    let taken = "create function taken() returns trigger language plpgsql as $$ begin if new.press_key is not null then \
                 raise exception 'taken' using errcode = '23505', constraint = 'presses_press_key'; end if; return new; end $$; \
                 create trigger taken before insert on presses for each row execute function taken()";
    sqlx::raw_sql(taken).execute(&mut root).await.unwrap();
    let (mut one, mut two) = (ship.gus_in(1).await, ship.gus_in(2).await);
    tokio::join!(one.press("single"), two.press("shake"));
    assert_eq!(ship.count("select count(*) from presses where press_key is null and request_id is not null").await, 2);
    assert_eq!(ship.count("select count(*) from requests where state = 'open'").await, 2);
}

#[tokio::test]
async fn a_do_not_disturb_press_sees_what_another_server_has_just_done_with_the_place() {
    let ship = Ship::sail().await;
    let mut root = superuser(&ship.db).await;
    let mut tx = root.begin().await.unwrap();
    tx.execute("update places set do_not_disturb = true where name = 'Cabin 1'").await.unwrap();
    // A request from there doesn't wait for the lock on the place.
    let mut gus = ship.gus_in(1).await;
    soon(Box::pin(gus.press("single"))).await;
    let (_, ()) = tokio::join!(gus.press_key("single", "aux1"), async {
        somebody_waits(&ship).await;
        tx.commit().await.unwrap();
    });
    let on = "select do_not_disturb::int::bigint from places where name = 'Cabin 1'";
    assert_eq!(ship.count(on).await, 0, "it was on by then, and is switched off");
    let told = "select count(*) from entries where type = 'do_not_disturb_cleared'";
    assert_eq!(ship.count(told).await, 1);
}

#[tokio::test]
async fn whatever_locks_a_place_and_a_button_locks_the_place_first() {
    let ship = Ship::sail().await;
    let (mut gus, mut root, mut other) = (ship.gus_in(1).await, superuser(&ship.db).await, superuser(&ship.db).await);
    let assign = Verb::Button(ButtonVerb::Assign { button_id: id(1), place_id: id(1), name: None });
    let toggles = async { drop(gus.press_key("single", "aux1").await) };
    let moves = ship.set_up(assign);
    // Another server holds the place, and would lock the button next: the button must be free.
    for wants_both in [Box::pin(moves) as Pin<Box<dyn Future<Output = ()>>>, Box::pin(toggles)] {
        let mut tx = root.begin().await.unwrap();
        tx.execute("select from places where name = 'Cabin 1' for update").await.unwrap();
        tokio::join!(wants_both, async {
            somebody_waits(&ship).await;
            other.execute("select from buttons where device = 'cabin-1' for update nowait").await.unwrap();
            tx.commit().await.unwrap();
        });
    }
}

#[tokio::test]
async fn a_press_in_one_batch_with_the_button_s_new_place_joins_what_is_asked_there() {
    let ship = Ship::sail().await;
    let mut gus = ship.gus_in(2).await;
    gus.press("single").await;
    // The writer waits for cabin 4's button, and meanwhile the batch fills up behind it.
    let mut root = superuser(&ship.db).await;
    let mut tx = root.begin().await.unwrap();
    tx.execute("select from buttons where device = 'cabin-4' for update").await.unwrap();
    let (mut four, mut three, mut one) = (ship.gus_in(4).await, ship.gus_in(3).await, ship.gus_in(1).await);
    let assign = |button: u128, place: u128| {
        let (button_id, place_id): (ButtonId, PlaceId) = (id(button), id(place));
        ship.set_up(Verb::Button(ButtonVerb::Assign { button_id, place_id, name: None }))
    };
    tokio::join!(four.press("single"), async {
        somebody_waits(&ship).await;
        let presses = async { tokio::join!(three.press("single"), one.press("single")) };
        tokio::join!(assign(3, 2), assign(1, 5), presses, async {
            // The clients have signed in already, so each is one message away from the writer's queue.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            tx.commit().await.unwrap();
        });
    });
    let joined = "select press_count::bigint from requests where place_name = 'Cabin 2'";
    assert_eq!(ship.count(joined).await, 2);
    let guest = "select count(*) from requests where place_name = 'Cabin 5' and guest_id is not null";
    assert_eq!(ship.count(guest).await, 1, "and it is for the guest who stays there");
}

#[tokio::test]
async fn who_leaves_leaves_no_guest_waiting() {
    let ship = Ship::sail().await;
    let (sam, alex) = (ship.sam().await, ship.alex().await);
    let (mine, done) = (sam.asks_for(1, "ice").await, sam.asks_for(2, "tea").await);
    for request in [&mine, &done] {
        assert_eq!(sam.answer(request, "accept").await.0, StatusCode::OK);
    }
    assert_eq!(sam.answer(&done, "complete").await.0, StatusCode::OK);
    let save = |name: &str, active: bool| json!({ "type": "save_person", "person_id": sam.id, "name": name, "role": "crew", "active": active });
    assert_eq!(alex.does(save("Samuel", true)).await, None);
    assert_eq!(alex.request(&mine).await["state"], "accepted", "another name changes nothing");
    assert_eq!(alex.does(save("Samuel", false)).await, None);
    assert_eq!(alex.request(&mine).await["state"], "open");
    assert_eq!(alex.request(&done).await["state"], "completed");
    let story = alex.timeline(&mine).await;
    assert_eq!(story.last().unwrap(), &("Alex".to_owned(), "request_released".to_owned()));
    let grace = ship.grace().await;
    assert_eq!(grace.answer(&mine, "accept").await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_entry_of_a_newer_version_is_handed_on_and_hides_none() {
    let ship = Ship::sail().await;
    let alex = ship.alex().await;
    let mut screen = alex.screen(None).await;
    let first = ship.head();
    let mut root = superuser(&ship.db).await;
    root.execute("alter table entries drop constraint entries_source_shape").await.unwrap();
    for (seq, entity, source, audience) in [
        (1, Some("submarine"), "app", None),
        (2, Some("request"), "satellite", None),
        (3, Some("submarine"), "app", Some(json!({ "tokens": ["right:dive"] }))),
        (4, None, "app", Some(json!({ "roles": ["captain"] }))),
    ] {
        let sql = "insert into entries (site_id, seq, event_id, at, actor_name, source, category, type, entity_type, \
                   entity_id, changed_fields, payload, audience) select id, head + $1, gen_random_uuid(), now(), 'Somebody', \
                   $2, 'depths', 'submarine_dived', $3, gen_random_uuid(), '{}', '{\"depth_m\": 300}', $4 from sites";
        let query = sqlx::query(sql).bind(i64::from(seq)).bind(source).bind(entity).bind(audience);
        query.execute(&mut root).await.unwrap();
    }
    root.execute("update sites set head = head + 4").await.unwrap();
    let behind = alex.asks_for(1, "ice").await;

    // The page, the stream, the activity and its file each continue past the unknown entry.
    let page = alex.get(&format!("/api/sync/entries?after={first}")).await;
    let told: Vec<_> = page["entries"].as_array().unwrap().iter().map(|entry| text(&entry["type"])).collect();
    assert_eq!(
        told,
        ["submarine_dived", "submarine_dived", "request_created"],
        "what is for unknown readers is for nobody"
    );
    assert_eq!(page["entries"][0]["meta"]["entity_type"], "submarine", "under its name");
    assert_eq!(page["entries"][1]["meta"]["source"], "other");
    assert_eq!(page["cursor"], first + 5);
    assert_eq!(screen.see("submarine_dived").await["payload"]["depth_m"], 300);
    assert_eq!(screen.see("request_created").await["payload"]["id"], behind.as_str());
    let activity = alex.get("/api/activity?limit=5").await;
    assert_eq!(activity["items"][0]["type"], "request_created");
    assert_eq!(activity["items"].as_array().unwrap().len(), 5);
    let csv = text(&alex.get("/api/activity.csv").await);
    assert!(csv.contains("\"submarine\"") && csv.contains("\"request_created\""), "{csv}");
}

#[tokio::test]
async fn a_pool_keeps_as_many_connections_as_it_is_told_and_waits_as_long() {
    let options = database::fresh().await;
    let settings = crewbell_server::db::DbSettings {
        readers: 3,
        readers_kept: 2,
        acquire_timeout: std::time::Duration::from_millis(200),
        ..options.clone()
    };
    let db = crewbell_server::db::Db::new(settings);
    let mut root = superuser(&options).await;
    let mut open = async || -> i64 {
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        sqlx::query_scalar(sql).fetch_one(&mut root).await.unwrap()
    };
    let mut kept = 0;
    while kept < 2 {
        kept = soon(open()).await;
    }
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(db.read_sites().await.unwrap());
    }
    assert_eq!(open().await, 3);
    let refused = soon(db.read_sites()).await.unwrap_err();
    assert!(refused.is_transient(), "{refused}");
    drop(held);

    // Waits for a lock, and statements, have a time limit.
    let limit = async |conn: &mut PgConnection, name: &str| -> String {
        sqlx::query_scalar("select current_setting($1)").bind(name.to_owned()).fetch_one(conn).await.unwrap()
    };
    let mut writer = db.connect(id(100)).await.unwrap();
    let mut reader = db.read_sites().await.unwrap();
    for name in ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"] {
        assert_ne!(limit(&mut writer, name).await, "0", "{name}");
        assert_ne!(limit(&mut reader, name).await, "0", "{name}");
    }
    drop(reader);
    db.close().await;
}
