//! Faults on a ship, and the damage that they must not cause.

use std::path::Path;
use std::time::Duration;

use crewbell_shared::testing::skipped;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::foreign::{Mosquitto, until};
use crate::own::Own;
use crate::ship::Ship;
use crate::wire::reckoning::{Reckoning, reckon};
use crate::wire::{Stormer, Storming};

const PATIENCE: Duration = Duration::from_mins(1);

fn storm(ship: &Ship, cabins: impl Iterator<Item = u32>) -> Vec<Stormer> {
    let storming = |cabin| Storming {
        to: ship.server.mqtt.unwrap(),
        device: format!("cabin-{cabin}"),
        user: format!("serenity/cabin-{cabin}"),
        password: format!("secret-{cabin}"),
        window: 8,
        pause: Duration::from_millis(4),
    };
    cabins.map(|cabin| Stormer::begin(storming(cabin))).collect()
}

fn heard(storm: &[Stormer]) -> usize {
    storm.iter().map(Stormer::count).sum()
}

/// Ends the presses, each of which must be acknowledged.
async fn calm(storm: Vec<Stormer>) -> (Vec<String>, usize) {
    let (mut all, mut resent) = (Vec::new(), 0);
    for stormer in storm {
        let (acknowledged, again) = stormer.calm(PATIENCE).await;
        all.extend(acknowledged);
        resent += again;
    }
    (all, resent)
}

async fn ready(ship: &Ship) -> (StatusCode, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(format!("http://{}/readyz", ship.server.http)).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn assert_nothing_lost(ship: &Ship, acknowledged: &[String]) {
    let mut root = crate::database::superuser(&ship.db).await;
    let reckoning = reckon(&mut root, acknowledged).await;
    assert_eq!(reckoning, Reckoning { acknowledged: acknowledged.len(), lost: 0, doubled: 0, gaps: 0 });
}

#[tokio::test]
async fn postgresql_killed_in_a_storm_loses_no_press_that_was_acknowledged() {
    let own = Own::start().await;
    let ship = Ship::sail_on(own.db()).await;
    let sam = ship.sam().await;
    let mut screen = sam.screen(None).await;
    let storm = storm(&ship, 1..4);
    until("the storm is on", || async { heard(&storm) > 100 }).await;

    // Without its configuration PostgreSQL can't start before the story restores the file.
    let (conf, away) = (own.pg().join("postgresql.conf"), own.pg().join("postgresql.conf.away"));
    std::fs::rename(&conf, &away).unwrap();
    own.kill();
    until("the server says that it can't take a press", || async {
        ready(&ship).await == (StatusCode::SERVICE_UNAVAILABLE, "the database is away\n".to_owned())
    })
    .await;
    let before = heard(&storm);
    let (status, body) = sam.ask(Method::GET, "/api/service-requests", None).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable")), "{body}");
    let (status, body) =
        sam.post("/api/service-requests", json!({ "place_id": uuid::Uuid::from_u128(1), "kind": "call" })).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable")), "{body}");
    let button = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-5", "secret-5");
    let press = br#"{"press_id": "5-1", "kind": "single"}"#;
    assert!(!button.tell("obedio/button/cabin-5/pressed", press, false).await, "mosquitto_pub hears no PUBACK either");
    assert_eq!(heard(&storm), before, "nothing is acknowledged that nobody keeps");
    assert_eq!(ready(&ship).await.0, StatusCode::SERVICE_UNAVAILABLE);

    std::fs::rename(&away, &conf).unwrap();
    until("everything goes on by itself", || async { heard(&storm) > before + 100 }).await;
    until("and the server says so", || async { ready(&ship).await.0 == StatusCode::OK }).await;
    assert!(button.tell("obedio/button/cabin-5/pressed", press, false).await);
    let (mut acknowledged, resent) = calm(storm).await;
    acknowledged.push("5-1".into());
    assert!(resent > 0, "something was on its way when it happened");
    assert_nothing_lost(&ship, &acknowledged).await;

    // The socket that was open all the time has received every entry without a gap: `next` checks that.
    let head: i64 = ship.count("select head from sites").await;
    while screen.cursor < u64::try_from(head).unwrap() {
        screen.next().await;
    }
    println!("acknowledged {}, sent again {resent}, lost 0, doubled 0", acknowledged.len());
    ship.server.stop().await;
    own.cluster.stop().await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_database_has_a_full_disk_says_so_before_a_press_is_lost_to_it() {
    assert_eq!(ready(&Ship::sail().await).await.0, StatusCode::OK);
    // A file system without free space.
    let ship = Ship::sail_with(|settings| settings.disk = Some("/proc".into())).await;
    assert_eq!(ready(&ship).await, (StatusCode::SERVICE_UNAVAILABLE, "the disk of the database is full\n".to_owned()));
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("a time, not {value}")).parse().unwrap()
}

#[tokio::test]
async fn a_clock_that_jumps_silences_no_button_and_makes_no_negative_durations() {
    let ship = Ship::sail().await;
    ship.settings(|settings| settings.press_window_s = 0).await;
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(1).await;
    let original = Mosquitto::new(ship.server.mqtt.unwrap(), "mqttv311", "serenity/cabin-2", "secret-2");
    for (number, hours) in [0, -9, 5, -30, 24 * 400, -24 * 800].into_iter().enumerate() {
        ship.clock.set_by(SignedDuration::from_hours(hours));
        let before = ship.count("select count(*) from requests").await;
        gus.press("single").await;
        let press = json!({ "button": "main", "pressType": "single", "sequenceNumber": number + 1 });
        original.say("obedio/button/cabin-2/press", &press).await;
        assert_eq!(ship.count("select count(*) from requests").await, before + 2, "after a jump of {hours} h");
    }

    for jump in [-3, 7] {
        gus.press("double").await;
        let open = sam.get("/api/service-requests?state=open&limit=200").await;
        let newest = ship.count("select max(seq) from entries where type = 'request_created'").await;
        let mut root = crate::database::superuser(&ship.db).await;
        let id: uuid::Uuid = sqlx::query_scalar("select entity_id from entries where seq = $1")
            .bind(newest)
            .fetch_one(&mut root)
            .await
            .unwrap();
        assert!(
            open["items"].as_array().unwrap().iter().any(|request| request["id"] == json!(id)),
            "it is on the board"
        );
        ship.clock.advance(SignedDuration::from_hours(jump));
        assert_eq!(sam.answer(&id.to_string(), "accept").await.0, StatusCode::OK);
        ship.clock.advance(SignedDuration::from_hours(jump));
        assert_eq!(sam.answer(&id.to_string(), "complete").await.0, StatusCode::OK);
        let story = sam.get(&format!("/api/service-requests/{id}")).await;
        let request = &story["request"];
        let (created, accepted, completed) =
            (at(&request["created_at"]), at(&request["accepted_at"]), at(&request["completed_at"]));
        assert!(created <= accepted && accepted <= completed, "after jumps of {jump} h: {request}");
    }
}

#[tokio::test]
async fn a_full_disk_is_no_lie_and_passes() {
    let temporary = tempfile::Builder::new().prefix("crewbell-full-").tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(temporary.path(), 240) else {
        return skipped("a small disk can't be mounted here");
    };
    let own = Own::within(temporary.path()).await;
    let ship = Ship::sail_on(own.db()).await;
    let storm = storm(&ship, 1..4);
    until("the storm is on", || async { heard(&storm) > 50 }).await;

    disk.fill();
    until("no press is acknowledged any more", || async {
        disk.fill();
        let before = heard(&storm);
        tokio::time::sleep(Duration::from_secs(1)).await;
        heard(&storm) == before
    })
    .await;
    let before = heard(&storm);

    disk.free();
    until("it goes on by itself", || async { heard(&storm) > before + 50 }).await;
    assert_eq!(ready(&ship).await.0, StatusCode::OK);
    let (acknowledged, resent) = calm(storm).await;
    assert!(resent > 0);
    assert_nothing_lost(&ship, &acknowledged).await;
    ship.server.stop().await;
    own.cluster.stop().await.unwrap();
}

/// A small file system in memory.
struct SmallDisk<'a> {
    at: &'a Path,
}

impl<'a> SmallDisk<'a> {
    /// Mounts the file system; `None` without the permission.
    fn mount(at: &'a Path, megabytes: u32) -> Option<Self> {
        let options = format!("size={megabytes}m,mode=0755");
        let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        mount.is_ok_and(|out| out.status.success()).then_some(Self { at })
    }

    /// Fills the free space.
    fn fill(&self) {
        use std::io::Write;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(self.at.join("ballast"));
        let Ok(mut file) = file else { return };
        for size in [1 << 20, 4096] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.at.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.at).output();
    }
}
