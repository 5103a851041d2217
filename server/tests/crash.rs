//! Real kills: the server's own program, a storm of presses, `kill -9` at moments that nobody chose.
//!
//! `CREWBELL_CRASH_ROUNDS` says how many kills (5 when not given), `CREWBELL_CRASH_SEED` at which moments.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::{sleep, timeout};

use demo::{Demo, Folder, START};
use wire::reckoning::{Reckoning, reckon};
use wire::{Stormer, Storming};

#[path = "props/demo.rs"]
mod demo;
mod wire;

/// Buttons in the storm.
const BUTTONS: usize = 4;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

impl Demo {
    fn storm(&self, mqtt: SocketAddr) -> Vec<Stormer> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let buttons = self.ready["buttons"].as_array().unwrap().iter().take(BUTTONS);
        let storming = buttons.map(|button| Storming {
            to: mqtt,
            device: text(&button["id"]),
            user: text(&button["username"]),
            password: text(&button["password"]),
            window: 16,
            pause: Duration::from_millis(2),
        });
        storming.map(Stormer::begin).collect()
    }

    /// As the superuser of its private cluster.
    async fn database(&self) -> PgConnection {
        let options: PgConnectOptions = self.ready["database"].as_str().unwrap().parse().unwrap();
        PgConnection::connect_with(&options).await.unwrap()
    }

    async fn killed(mut self) {
        self.child.kill().await.unwrap();
    }
}

impl Folder {
    fn kill_postgresql(&self) -> bool {
        let pid = std::fs::read_to_string(self.data().join("pg/postmaster.pid")).ok();
        let pid = pid.and_then(|file| file.lines().next()?.trim().parse().ok());
        pid.is_some_and(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok())
    }
}

fn heard(storm: &[Stormer]) -> usize {
    storm.iter().map(Stormer::count).sum()
}

/// Waits until the storm is heard again.
async fn goes_on(storm: &[Stormer], by: usize) {
    let before = heard(storm);
    let heard_again = async {
        while heard(storm) < before + by {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(START, heard_again).await.expect("presses are acknowledged again");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Postgresql,
}

async fn crash(victim: Victim) {
    let rounds = from_environment("CREWBELL_CRASH_ROUNDS", 5);
    let seed = from_environment("CREWBELL_CRASH_SEED", 4711);
    let mut random = StdRng::seed_from_u64(seed);
    let folder = Folder::new();
    let mqtt = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut demo = Demo::start(&folder.data(), &mqtt.to_string()).await;
    let storm = demo.storm(mqtt);
    for round in 1..=rounds {
        goes_on(&storm, 50).await;
        sleep(Duration::from_millis(random.random_range(0..700))).await;
        match victim {
            Victim::Server => {
                demo.killed().await;
                demo = Demo::start(&folder.data(), &mqtt.to_string()).await;
            }
            Victim::Postgresql => assert!(folder.kill_postgresql(), "there was something to kill"),
        }
        println!("round {round} of {rounds}: {} acknowledged", heard(&storm));
    }
    goes_on(&storm, 50).await;

    let (mut acknowledged, mut resent) = (Vec::new(), 0);
    for stormer in storm {
        let (presses, again) = stormer.calm(Duration::from_mins(1)).await;
        acknowledged.extend(presses);
        resent += again;
    }
    let reckoning = reckon(&mut demo.database().await, &acknowledged).await;
    let Reckoning { acknowledged: all, lost, doubled, gaps } = reckoning;
    println!("acknowledged {all}, lost {lost}, doubled {doubled}");
    println!("seed {seed}, kills {rounds}, sent again {resent}, gaps in the log {gaps}");
    assert!(resent > 0, "the kills fell into the storm");
    assert_eq!((lost, doubled, gaps), (0, 0, 0));
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_a_storm_has_every_acknowledged_press_once() {
    crash(Victim::Server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_killed_in_a_storm_has_every_acknowledged_press_once() {
    crash(Victim::Postgresql).await;
}
