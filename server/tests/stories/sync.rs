//! Catching up: snapshots, and the entries after them.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_server::jobs::archive;
use crewbell_shared::person::Role;
use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cast::{Crew, Screen, fresh_id, text};
use crate::ship::Ship;

/// A client's replica: each entity by type and id, as of one entry.
#[derive(Debug)]
struct Copy {
    seq: u64,
    entities: BTreeMap<(String, String), Value>,
}

impl Copy {
    async fn take(person: &Crew) -> Self {
        let answer = person.get("/api/sync/snapshot").await;
        let lines: Vec<Value> = text(&answer).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut entities = BTreeMap::new();
        for entity in lines[1..].iter().flat_map(|line| line.as_array().unwrap()) {
            let key = (text(&entity["entity_type"]), text(&entity["entity"]["id"]));
            assert!(entities.insert(key, entity["entity"].clone()).is_none(), "{entity} stands twice");
        }
        assert_eq!(lines[0]["entities"], entities.len());
        Self { seq: lines[0]["seq"].as_u64().unwrap(), entities }
    }

    /// Applies an entry by replacing the entity.
    fn apply(&mut self, entry: &Value) {
        let seq = entry["meta"]["seq"].as_u64().unwrap();
        assert!(seq > self.seq, "{seq} came after {}", self.seq);
        self.seq = seq;
        let Some(entity) = entry["meta"]["entity_type"].as_str() else { return };
        let mut payload = entry["payload"].clone();
        let changed =
            payload.as_object_mut().unwrap().remove("changed_fields").expect("every entity says what changed");
        let key = (entity.to_owned(), text(&payload["id"]));
        let before = self.entities.insert(key, payload.clone()).unwrap_or_else(|| json!({}));
        let changed: BTreeSet<_> = changed.as_array().unwrap().iter().map(text).collect();
        let fields = payload.as_object().unwrap().iter().chain(before.as_object().unwrap()).map(|(name, _)| name);
        let differ: BTreeSet<_> = fields
            .filter(|&name| payload.get(name).unwrap_or(&Value::Null) != before.get(name).unwrap_or(&Value::Null))
            .cloned()
            .collect();
        assert_eq!(changed, differ, "what {entry} says it changed");
    }

    /// Reads from here to the head, page by page.
    async fn catch_up(&mut self, person: &Crew) {
        let mut cursor = self.seq;
        loop {
            let page = person.get(&format!("/api/sync/entries?after={cursor}")).await;
            for entry in page["entries"].as_array().unwrap() {
                self.apply(entry);
            }
            cursor = page["cursor"].as_u64().unwrap();
            if cursor == page["head"].as_u64().unwrap() {
                self.seq = cursor;
                return;
            }
        }
    }
}

/// Checks that an old snapshot with the later entries applied equals a new snapshot.
async fn assert_log_tells_the_state(old: &mut Copy, person: &Crew) {
    old.catch_up(person).await;
    let new = Copy::take(person).await;
    assert_eq!(old.seq, new.seq);
    for (key, entity) in &new.entities {
        assert_eq!(old.entities.get(key), Some(entity), "{key:?} by the log, and as it is");
    }
    assert_eq!(old.entities.len(), new.entities.len(), "the log knows of no more than there is");
}

#[tokio::test]
async fn the_log_tells_the_state() {
    let ship = Ship::sail().await;
    let (sam, grace, alex) = (ship.sam().await, ship.grace().await, ship.alex().await);
    let mut copy = Copy::take(&sam).await;

    // Presses by guests.
    let (mut gus, mut newcomer) = (ship.gus_in(1).await, ship.newcomer("terrace-9").await);
    for kind in ["single", "single", "double", "long", "shake"] {
        gus.press(kind).await;
    }
    for key in ["aux1", "aux2", "aux3", "aux1", "aux1"] {
        gus.press_key("single", key).await;
    }
    gus.tell("obedio/button/cabin-1/status", json!({ "online": true, "battery": 12, "rssi": -80 })).await;
    newcomer.press("single").await;
    newcomer.press("single").await;
    assert_log_tells_the_state(&mut copy, &sam).await;

    // Actions of the crew.
    let requests: Vec<_> = sam.open_requests().await.iter().map(|request| text(&request["id"])).collect();
    assert!(requests.len() > 4);
    let note = json!({ "text": "on my way\nwith tea" });
    sam.answer(&requests[0], "accept").await;
    sam.post(&format!("/api/service-requests/{}/notes", requests[0]), note).await;
    sam.post(&format!("/api/service-requests/{}/hand-over", requests[0]), json!({ "to": grace.id })).await;
    grace.answer(&requests[0], "complete").await;
    sam.answer(&requests[1], "accept").await;
    sam.answer(&requests[1], "release").await;
    sam.answer(&requests[2], "cancel").await;
    sam.answer(&requests[3], "accept").await;
    grace.post(&format!("/api/service-requests/{}/cancel", requests[3]), json!({ "reason": "twice" })).await;
    sam.asks_for(2, "ice").await;
    assert_log_tells_the_state(&mut copy, &sam).await;

    // Changes of the site.
    let terrace = copy.entities.values().find(|entity| entity["device"] == "terrace-9").unwrap()["id"].clone();
    let (deck, cabin, guest, stay, person) = (fresh_id(), fresh_id(), fresh_id(), fresh_id(), fresh_id());
    let settings = json!({ "press_window_s": 5, "retention_days": 30, "services": [] });
    let verbs = [
        json!({ "type": "save_place", "place_id": deck, "name": "Sun deck", "kind": "deck" }),
        json!({ "type": "save_place", "place_id": cabin, "parent_id": deck, "name": "Cabin 6", "kind": "cabin" }),
        json!({ "type": "save_place", "place_id": cabin, "parent_id": deck, "name": "Suite", "kind": "cabin" }),
        json!({ "type": "set_do_not_disturb", "place_id": cabin, "on": true }),
        json!({ "type": "assign_button", "button_id": terrace, "place_id": cabin, "name": "By the bed" }),
        json!({ "type": "create_button", "button_id": fresh_id(), "device": "cabin-6", "place_id": cabin }),
        json!({ "type": "save_guest", "guest_id": guest, "name": "Mr Ito" }),
        json!({ "type": "save_guest", "guest_id": guest, "name": "Mr Ito", "notes": "no nuts" }),
        json!({ "type": "check_in", "stay_id": stay, "guest_id": guest, "place_id": cabin }),
        json!({ "type": "check_out", "stay_id": stay }),
        json!({ "type": "save_person", "person_id": person, "name": "Olga", "role": "technician" }),
        json!({ "type": "set_duty", "person_id": person, "on_duty": true }),
        json!({ "type": "save_person", "person_id": person, "name": "Olga", "role": "crew", "active": false }),
        json!({ "type": "save_settings", "settings": settings }),
        json!({ "type": "retire_button", "button_id": terrace }),
    ];
    for verb in verbs {
        assert_eq!(alex.does(verb.clone()).await, None, "{verb}");
        assert_log_tells_the_state(&mut copy, &sam).await;
    }
    newcomer.press("single").await;
    assert_log_tells_the_state(&mut copy, &sam).await;
    ship.clock.advance(jiff::SignedDuration::from_mins(16));
    gus.press("single").await;
    assert_log_tells_the_state(&mut copy, &sam).await;
    drop(newcomer);
    drop(gus);
    let ship = ship.restart().await;
    assert_log_tells_the_state(&mut copy, &ship.sam().await).await;
}

#[tokio::test]
async fn entries_come_in_pages_and_all_of_them() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let mut copy = Copy::take(&sam).await;
    let batches = (0..5).map(async |_| {
        let place = "00000000-0000-0000-0000-000000000001";
        let create = |_| {
            crate::cast::command(
                json!({ "type": "create_request", "request_id": fresh_id(), "place_id": place, "kind": "call" }),
            )
        };
        let commands: Vec<_> = (0..250).map(create).collect();
        sam.sends(&commands).await
    });
    join_all(batches).await;
    let page = sam.get(&format!("/api/sync/entries?after={}", copy.seq)).await;
    assert_eq!(page["entries"].as_array().unwrap().len(), 1000);
    assert_eq!(page["head"], copy.seq + 1250);
    assert_log_tells_the_state(&mut copy, &sam).await;
    assert_eq!(copy.entities.keys().filter(|(entity, _)| entity == "request").count(), 1250);
}

#[tokio::test]
async fn a_cursor_outside_the_log_is_sent_to_the_snapshot() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let old = ship.head() - 3;
    ship.settings(|settings| settings.retention_days = 30).await;
    let request = sam.asks_for(1, "ice").await;
    ship.clock.advance(jiff::SignedDuration::from_hours(24 * 40));
    sam.asks_for(2, "tea").await;
    let told = ship.head();
    assert!(archive(&ship.server.registry, &ship.site).await.unwrap() > 0);
    assert_eq!(ship.count("select count(*) from entries").await, 1);
    assert_eq!(ship.count("select count(*) from entries_archive").await, i64::try_from(told).unwrap() - 1);

    for cursor in [0, old, told - 2, told + 1, u64::MAX >> 1] {
        let path = format!("/api/sync/entries?after={cursor}");
        let (status, said) = sam.ask(Method::GET, &path, None).await;
        assert_eq!((status, &said["code"]), (StatusCode::GONE, &json!("snapshot_needed")), "{cursor}");
        assert_eq!((&said["details"]["first"], &said["details"]["head"]), (&json!(told), &json!(told)));
        assert_eq!(said["details"]["restored"], cursor > told, "{cursor}");
    }
    // The oldest cursor that is still accepted, and the snapshot, can be resumed from.
    assert_eq!(sam.get(&format!("/api/sync/entries?after={}", told - 1)).await["entries"].as_array().unwrap().len(), 1);
    assert_eq!(Copy::take(&sam).await.seq, told);
    // The history of an old request is still available.
    assert_eq!(sam.timeline(&request).await, [("Sam".to_owned(), "request_created".to_owned())]);
    let (status, _) = sam.ask(Method::GET, "/api/sync/entries?after=-1", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // The largest possible cursor is out of range like any other.
    let (status, _) = sam.ask(Method::GET, &format!("/api/sync/entries?after={}", u64::MAX), None).await;
    assert_eq!(status, StatusCode::GONE);
    // A restarted server has no archived entries in memory, and gives a socket the same answer.
    let token = sam.token.clone();
    let ship = ship.restart().await;
    for cursor in [old, told + 1, u64::MAX] {
        let mut screen = Screen::open(ship.server.http).await;
        screen.say(&json!({ "t": "hello", "token": token, "cursor": cursor }).to_string()).await;
        assert_eq!(screen.refusal().await, "snapshot_needed", "{cursor}");
    }
}

#[tokio::test]
async fn with_eight_writers_numbers_have_no_gaps_and_are_in_the_order_of_commits() {
    let ship = Ship::sail().await;
    let writers = join_all((0..8).map(async |n| ship.recruit(&format!("Hand {n}"), Role::Crew).await)).await;
    let (first, mut screen) = (ship.head(), writers[0].screen(None).await);
    let done = join_all(writers.iter().map(async |writer| {
        let mut last = 0;
        for _ in 0..25 {
            let (_, said) = writer
                .post(
                    "/api/service-requests",
                    json!({ "place_id": "00000000-0000-0000-0000-000000000001", "kind": "call" }),
                )
                .await;
            let seq = said["seq"].as_u64().unwrap();
            assert!(seq > last, "one's own commands are in their order");
            last = seq;
            // When a command is answered, its entry is visible to all, and so is every earlier one.
            let page = writer.get(&format!("/api/sync/entries?after={}", seq - 1)).await;
            assert_eq!(page["entries"][0]["meta"]["seq"], seq);
        }
    }));
    let watched = async {
        for expected in first + 1..=first + 200 {
            assert_eq!(screen.next().await["meta"]["seq"], expected);
        }
    };
    tokio::join!(done, watched);
    let gaps = "select count(*) from (select seq, lag(seq) over (order by seq) as before from entries) as e \
                where seq <> coalesce(before, 0) + 1";
    assert_eq!(ship.count(gaps).await, 0);
    let disorder = "select count(*) from (select at, lag(at) over (order by seq) as before from entries) as e \
                    where at < before";
    assert_eq!(ship.count(disorder).await, 0);
    let head = i64::try_from(ship.head()).unwrap();
    assert_eq!(ship.count("select head from sites").await, head);
    assert_eq!(ship.count("select count(*) from entries").await, head);
}

#[tokio::test]
async fn a_snapshot_goes_back_as_many_days_as_the_site_says_with_what_is_closed() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let closed = sam.asks_for(1, "ice").await;
    sam.answer(&closed, "accept").await;
    sam.answer(&closed, "complete").await;
    let open = sam.asks_for(2, "ice").await;
    ship.clock.advance(SignedDuration::from_hours(24 * 4));
    let has =
        async |request: &str| Copy::take(&sam).await.entities.contains_key(&("request".to_owned(), request.to_owned()));
    assert_eq!((has(&closed).await, has(&open).await), (true, true));
    ship.settings(|settings| settings.closed_days = 3).await;
    assert_eq!((has(&closed).await, has(&open).await), (false, true));
}

#[tokio::test]
async fn a_snapshot_counts_the_days_of_a_request_from_when_it_was_closed() {
    let ship = Ship::sail().await;
    let (sam, day) = (ship.sam().await, SignedDuration::from_hours(24));
    let [late, early] = [sam.asks_for(1, "a plumber").await, sam.asks_for(2, "ice").await];
    let close = async |request: &str| {
        sam.answer(request, "accept").await;
        sam.answer(request, "complete").await;
    };
    ship.clock.advance(2 * day);
    close(&early).await;
    ship.clock.advance(7 * day);
    close(&late).await;
    ship.clock.advance(day);
    let has =
        async |request: &str| Copy::take(&sam).await.entities.contains_key(&("request".to_owned(), request.to_owned()));
    // Both were made ten days ago. One was closed yesterday, the other eight days ago.
    assert_eq!((has(&late).await, has(&early).await), (true, false));
    ship.clock.advance(7 * day);
    assert!(!has(&late).await, "a device has forgotten it too");
}
