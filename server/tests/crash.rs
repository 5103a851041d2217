//! Crash tests with real kills: the server's own program under continuous presses, with `kill -9` at random moments of
//! the server, of its PostgreSQL, and of both at once. A live-socket client reads the log all the time.
//!
//! `CREWBELL_KILLS` sets the number of kills (default 6), `CREWBELL_CRASH_SEED` the seed for the victims and the
//! moments.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use demo::{Demo, Folder, START};
use wire::reckoning::{Reckoning, reckon};
use wire::{Stormer, Storming};

#[path = "props/demo.rs"]
mod demo;
mod wire;

/// Number of pressing buttons.
const BUTTONS: usize = 4;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

impl Demo {
    /// Returns the live-socket connection of an administrator, who may see every entry.
    fn gallery(&self) -> Gallery {
        let people = self.ready["people"].as_array().unwrap();
        let admin = people.iter().find(|person| person["role"] == "admin").expect("there is an administrator");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Gallery { http: text(&self.ready["http"]), token: text(&admin["token"]) }
    }

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

    /// Connects as the superuser of the demo's private cluster.
    async fn database(&self) -> PgConnection {
        let options: PgConnectOptions = self.ready["database"].as_str().unwrap().parse().unwrap();
        PgConnection::connect_with(&options).await.unwrap()
    }

    /// Returns the seq of the last entry.
    async fn head(&self) -> u64 {
        let head: i64 =
            sqlx::query_scalar("select head from sites").fetch_one(&mut self.database().await).await.unwrap();
        u64::try_from(head).unwrap()
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

/// Waits until further presses are acknowledged.
async fn goes_on(storm: &[Stormer], by: usize) {
    let before = heard(storm);
    let heard_again = async {
        while heard(storm) < before + by {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(START, heard_again).await.expect("presses are acknowledged again");
}

/// The address and token of a live-socket connection.
#[derive(Clone, PartialEq)]
struct Gallery {
    http: String,
    token: String,
}

/// The entries read, over all connections.
#[derive(Default)]
struct Read {
    /// The seq and the event id of the last entry.
    cursor: Option<(u64, Value)>,
    entries: u64,
    connections: u32,
    /// Violations of the order.
    wrong: Vec<String>,
}

impl Read {
    /// Reads until the connection breaks.
    async fn connection(&mut self, gallery: &Gallery) -> Option<()> {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}/api/live", gallery.http)).await.ok()?;
        let mut hello = json!({ "t": "hello", "token": gallery.token });
        if let Some((cursor, event_id)) = &self.cursor {
            (hello["cursor"], hello["event_id"]) = ((*cursor).into(), event_id.clone());
        }
        socket.send(Message::text(hello.to_string())).await.ok()?;
        self.connections += 1;
        while let Some(Ok(message)) = socket.next().await {
            let Ok(frame) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
            match frame["t"].as_str() {
                Some("refused") => self.wrong.push(frame.to_string()),
                Some("entries") => self.frame(&frame),
                _ => {}
            }
        }
        None
    }

    fn frame(&mut self, frame: &Value) {
        for entry in frame["entries"].as_array().unwrap() {
            let meta = &entry["meta"];
            let seq = meta["seq"].as_u64().unwrap();
            if let Some((before, _)) = self.cursor.as_ref().filter(|(before, _)| seq != before + 1) {
                self.wrong.push(format!("{seq} after {before}"));
            }
            self.entries += 1;
            self.cursor = Some((seq, meta["event_id"].clone()));
        }
    }
}

/// Reads the log across all kills, until it has read the entry that `last` names.
async fn read_along(mut gallery: watch::Receiver<Gallery>, first: u64, last: watch::Receiver<Option<u64>>) -> Read {
    let mut read = Read { cursor: Some((first, Value::Null)), ..Read::default() };
    loop {
        let now = gallery.borrow_and_update().clone();
        let _ = timeout(Duration::from_secs(3), read.connection(&now)).await;
        let reached = read.cursor.as_ref().map_or(0, |(seq, _)| *seq);
        if last.borrow().is_some_and(|last| last <= reached) {
            return read;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Postgresql,
    Both,
}

/// Starts the server again after a kill, with a single attempt. Remains of the last run may be in the way for a moment,
/// which the server itself must wait for.
async fn back(folder: &Folder, mqtt: SocketAddr) -> Demo {
    timeout(START, Demo::start(&folder.data(), &mqtt.to_string())).await.expect("it starts again")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_in_a_storm_every_acknowledged_press_is_there_once_and_read_once() {
    let kills = from_environment("CREWBELL_KILLS", 6);
    let seed = from_environment("CREWBELL_CRASH_SEED", 4711);
    let mut random = StdRng::seed_from_u64(seed);
    let folder = Folder::new();
    let mqtt = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut demo = Demo::start(&folder.data(), &mqtt.to_string()).await;
    let (move_to, gallery) = watch::channel(demo.gallery());
    let (end, last) = watch::channel(None);
    let reading = tokio::spawn(read_along(gallery, demo.head().await, last));
    let storm = demo.storm(mqtt);
    for kill in 0..kills {
        goes_on(&storm, 50).await;
        sleep(Duration::from_millis(random.random_range(0..400))).await;
        // Each victim once in the first three kills, then at random.
        let which = if kill < 3 { kill } else { random.random_range(0..3) };
        let victim = [Victim::Server, Victim::Postgresql, Victim::Both][usize::try_from(which).unwrap()];
        if victim != Victim::Server {
            assert!(folder.kill_postgresql(), "there was something to kill");
        }
        if victim != Victim::Postgresql {
            demo.killed().await;
            demo = back(&folder, mqtt).await;
            move_to.send_replace(demo.gallery());
        }
        println!("kill {} of {kills}, {victim:?}: {} acknowledged", kill + 1, heard(&storm));
    }
    goes_on(&storm, 50).await;

    let (mut acknowledged, mut resent) = (Vec::new(), 0);
    for stormer in storm {
        let (presses, again) = stormer.calm(Duration::from_mins(1)).await;
        acknowledged.extend(presses);
        resent += again;
    }
    end.send_replace(Some(demo.head().await));
    let read = timeout(START, reading).await.expect("who reads along gets to the end").unwrap();
    let reckoning = reckon(&mut demo.database().await, &acknowledged).await;
    let Reckoning { acknowledged: all, lost, doubled, gaps } = reckoning;
    println!("acknowledged {all}, lost {lost}, doubled {doubled}");
    println!("seed {seed}, kills {kills}, sent again {resent}, gaps in the log {gaps}");
    println!("read {} entries over {} connections: {} out of order", read.entries, read.connections, read.wrong.len());
    assert!(resent > 0, "the kills fell into the storm");
    assert_eq!((lost, doubled, gaps), (0, 0, 0));
    assert_eq!(read.wrong, [""; 0]);
    assert!(read.connections > 1 && read.entries > u64::try_from(all).unwrap(), "every press is an entry, at least");
    demo.stop().await;
}
