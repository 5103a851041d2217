//! Tests with a real Mosquitto. The test itself handles the messages, and the lease needs no database.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::acks::BrokerLamps;
use super::lease::{Held, Lease, while_held};
use super::reconnect::Ingest;
use super::settings::BrokerConfig;
use crate::clock::Ids;
use crate::db::DbError;
use crate::devices::acks::Lamp as _;
use crate::devices::delivery::Message;
use crate::devices::listener::Taken;
use crate::props::broker::Broker as Mosquitto;
use crate::props::soon;

const PRESSED: &str = "obedio/button/c5/pressed";

impl Mosquitto {
    async fn kill_and_restart(&mut self) {
        self.kill().await;
        self.start_again().await;
    }

    async fn press(&self, payload: &str, more: &[&str]) {
        let more = [&["-q", "1", "-t", PRESSED, "-m", payload], more].concat();
        assert!(self.run("mosquitto_pub", &more).await);
    }

    fn settings(&self) -> BrokerConfig {
        BrokerConfig {
            url: format!("mqtt://{}", self.address),
            username: None,
            password: None,
            client_id: None,
            site: "serenity".into(),
            ca_file: None,
        }
    }
}

/// A received message; the test decides on its result.
struct Handed {
    connection: u64,
    message: Message,
    reply: oneshot::Sender<Taken>,
}

impl Handed {
    fn is(self, taken: Taken) {
        // The connection may have timed out.
        let _ = self.reply.send(taken);
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.message.payload).expect("text")
    }
}

/// An ingester with its lease, controlled by the test.
struct Server {
    handed: mpsc::UnboundedReceiver<Handed>,
    subscribe: watch::Sender<Vec<String>>,
    lamps: BrokerLamps,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _stops: DropGuard,
}

impl Server {
    async fn start(mosquitto: &Mosquitto) -> Self {
        let server = Self::with(mosquitto, FakeLease::default());
        server.when_subscribed(mosquitto).await
    }

    fn with(mosquitto: &Mosquitto, lease: FakeLease) -> Self {
        let (hand, handed) = mpsc::unbounded_channel();
        let take = move |connection, message| {
            let (reply, taken) = oneshot::channel();
            let _ = hand.send(Handed { connection, message, reply });
            async move { taken.await.unwrap_or(Taken::NotNow) }
        };
        let lamps = BrokerLamps::default();
        let filters = vec!["obedio/button/+/pressed".to_owned(), "probe".to_owned()];
        let (subscribe, filters) = watch::channel(filters);
        let ingest = Ingest::new(mosquitto.settings(), filters, take, lamps.clone(), Ids::seeded(1));
        let stop = CancellationToken::new();
        let running = {
            let stop = stop.clone();
            tokio::spawn(async move {
                let ingest = &ingest;
                while_held(&lease, &stop, |held| async move { ingest.keep(held).await }).await;
            })
        };
        Self { handed, subscribe, lamps, _stops: stop.clone().drop_guard(), stop, running }
    }

    /// Publishes until a message arrives, which proves that the broker has the subscriptions.
    async fn when_subscribed(mut self, mosquitto: &Mosquitto) -> Self {
        soon(async {
            loop {
                mosquitto.run("mosquitto_pub", &["-t", "probe", "-m", "probe"]).await;
                let wait = Duration::from_millis(100);
                if let Ok(handed) = tokio::time::timeout(wait, self.handed.recv()).await {
                    handed.expect("running").is(Taken::Done);
                    break;
                }
            }
        })
        .await;
        self
    }

    /// Waits for the next press and skips late probes.
    async fn press(&mut self) -> Handed {
        soon(async {
            loop {
                let handed = self.handed.recv().await.expect("running");
                if handed.message.topic != "probe" {
                    return handed;
                }
                handed.is(Taken::Done);
            }
        })
        .await
    }

    /// Shuts down in order.
    async fn stop(self) {
        self.stop.cancel();
        soon(self.running).await.expect("no panic");
    }

    /// Ends like a crash: the socket closes without DISCONNECT.
    async fn crash(self) {
        self.running.abort();
        assert!(self.running.await.expect_err("aborted").is_cancelled());
    }
}

/// A fake lease within one process.
#[derive(Clone, Default)]
struct FakeLease {
    held: Arc<Mutex<()>>,
    lost: CancellationToken,
}

struct FakeHeld {
    _held: OwnedMutexGuard<()>,
    lost: CancellationToken,
}

impl Lease for FakeLease {
    type Held = FakeHeld;

    async fn try_take(&self) -> Result<Option<FakeHeld>, DbError> {
        if self.lost.is_cancelled() {
            return Ok(None);
        }
        let held = Arc::clone(&self.held).try_lock_owned().ok();
        Ok(held.map(|held| FakeHeld { _held: held, lost: self.lost.clone() }))
    }
}

impl Held for FakeHeld {
    async fn lost(&mut self) {
        self.lost.cancelled().await;
    }

    async fn give_up(self) {}
}

#[tokio::test]
async fn presses_made_while_the_server_was_away_come_in_order_when_it_is_back() {
    let mosquitto = Mosquitto::start().await;
    Server::start(&mosquitto).await.stop().await;
    for press in ["1", "2", "3"] {
        mosquitto.press(press, &[]).await;
    }
    let mut server = Server::with(&mosquitto, FakeLease::default());
    for press in ["1", "2", "3"] {
        let handed = server.press().await;
        assert_eq!((handed.text(), handed.message.qos, handed.message.dup), (press, 1, false));
        handed.is(Taken::Done);
    }
}

#[tokio::test]
async fn a_press_that_was_not_taken_when_the_server_crashed_comes_again_with_dup() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    mosquitto.press("done", &[]).await;
    server.press().await.is(Taken::Done);
    mosquitto.press("pending", &[]).await;
    let first = server.press().await;
    assert!(!first.message.dup);
    server.crash().await;

    let mut server = Server::with(&mosquitto, FakeLease::default());
    let again = server.press().await;
    assert_eq!((again.text(), again.message.dup), ("pending", true));
    assert_eq!(again.message.packet_id, first.message.packet_id, "by which a duplicate is known");
    again.is(Taken::Done);
    server.stop().await;

    let mut server = Server::with(&mosquitto, FakeLease::default());
    mosquitto.press("next", &[]).await;
    assert_eq!(server.press().await.text(), "next", "what was acknowledged doesn't come again");
}

#[tokio::test]
async fn a_press_that_can_not_be_recorded_comes_again_and_holds_back_no_other() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    mosquitto.press("stuck", &[]).await;
    let stuck = server.press().await;
    mosquitto.press("fine", &[]).await;
    let fine = server.press().await;
    let connection = stuck.connection;
    stuck.is(Taken::NotNow);
    fine.is(Taken::Done);

    let again = server.press().await;
    assert_eq!((again.text(), again.message.dup), ("stuck", true));
    assert_ne!(again.connection, connection);
    again.is(Taken::Done);
    mosquitto.press("next", &[]).await;
    assert_eq!(server.press().await.text(), "next", "the one behind was acknowledged and doesn't come again");
}

#[tokio::test]
async fn presses_are_taken_side_by_side_and_acknowledged_in_their_order() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    mosquitto.press("first", &[]).await;
    let first = server.press().await;
    mosquitto.press("second", &[]).await;
    server.press().await.is(Taken::Done);
    server.crash().await;
    drop(first);
    let mut server = Server::with(&mosquitto, FakeLease::default());
    for press in ["first", "second"] {
        let again = server.press().await;
        assert_eq!((again.text(), again.message.dup), (press, true));
    }
}

#[tokio::test]
async fn stopping_acknowledges_what_was_being_taken() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    mosquitto.press("last", &[]).await;
    let last = server.press().await;
    server.stop.cancel();
    last.is(Taken::Done);
    server.stop().await;
    let mut server = Server::with(&mosquitto, FakeLease::default());
    mosquitto.press("next", &[]).await;
    assert_eq!(server.press().await.text(), "next");
}

#[tokio::test]
async fn a_broker_that_is_killed_and_restarted_is_found_again() {
    let mut mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    mosquitto.kill_and_restart().await;
    server = server.when_subscribed(&mosquitto).await;
    mosquitto.press("after", &[]).await;
    assert_eq!(server.press().await.text(), "after");
}

#[tokio::test]
async fn a_topic_that_the_site_adds_is_heard_at_once_and_one_that_it_takes_back_is_not() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    let ours = || vec!["obedio/button/+/pressed".to_owned(), "probe".to_owned()];
    let say =
        async |word: &str| assert!(mosquitto.run("mosquitto_pub", &["-q", "1", "-t", "bells/c7", "-m", word]).await);
    server.subscribe.send_replace([ours(), vec!["bells/+".to_owned()]].concat());
    let heard = soon(async {
        loop {
            say("ding").await;
            if let Ok(Some(handed)) = tokio::time::timeout(Duration::from_millis(100), server.handed.recv()).await {
                let (topic, connection) = (handed.message.topic.clone(), handed.connection);
                handed.is(Taken::Done);
                if topic == "bells/c7" {
                    return connection;
                }
            }
        }
    });
    let before = heard.await;
    server.subscribe.send_replace(ours());
    loop {
        mosquitto.press("between", &[]).await;
        let handed = server.press().await;
        let connection = handed.connection;
        handed.is(Taken::Done);
        if connection > before {
            break;
        }
    }
    server = server.when_subscribed(&mosquitto).await;
    say("dong").await;
    mosquitto.press("after", &[]).await;
    loop {
        let handed = server.press().await;
        let text = handed.text().to_owned();
        handed.is(Taken::Done);
        assert_ne!(text, "dong");
        if text == "after" {
            break;
        }
    }
}

#[tokio::test]
async fn a_retained_press_is_known_as_such_also_when_it_is_live() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    mosquitto.press("kept", &["-r"]).await;
    let live = server.press().await;
    assert!(live.message.retain);
    live.is(Taken::Done);
    server.stop().await;
    let mut server = Server::with(&mosquitto, FakeLease::default());
    let old = server.press().await;
    assert_eq!((old.text(), old.message.retain), ("kept", true), "subscribing again shows what is retained");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_left_out_and_the_next_one_comes() {
    let mosquitto = Mosquitto::start().await;
    let mut server = Server::start(&mosquitto).await;
    let file = mosquitto.folder.path().join("large");
    for (size, comes) in [(500_000, true), (600_000, false)] {
        std::fs::write(&file, vec![b'x'; size]).expect("written");
        let file = file.to_str().expect("a path");
        assert!(mosquitto.run("mosquitto_pub", &["-q", "1", "-t", PRESSED, "-f", file]).await);
        if comes {
            let large = server.press().await;
            assert_eq!(large.message.payload.len(), size);
            large.is(Taken::Done);
        }
    }
    mosquitto.press("next", &[]).await;
    let next = server.press().await;
    assert_eq!((next.text(), next.connection), ("next", 1));
}

#[tokio::test]
async fn a_lamp_reaches_its_button_also_when_the_broker_was_away() {
    let mosquitto = Mosquitto::start().await;
    let ack = "obedio/button/c5/ack";
    let more = ["-t", ack, "-t", "probe", "-q", "1"];
    let mut button = mosquitto.command("mosquitto_sub", &more).stdout(Stdio::piped()).spawn().expect("started");
    let mut lines = BufReader::new(button.stdout.take().expect("piped")).lines();
    soon(async {
        loop {
            mosquitto.run("mosquitto_pub", &["-t", "probe", "-m", "probe"]).await;
            if tokio::time::timeout(Duration::from_millis(100), lines.next_line()).await.is_ok() {
                break;
            }
        }
    })
    .await;
    let lease = FakeLease::default();
    let guard = Arc::clone(&lease.held).try_lock_owned().expect("free");
    let server = Server::with(&mosquitto, lease);
    server.lamps.light(ack, b"received");
    server.lamps.light(ack, b"accepted");
    drop(guard);
    let mut shown = async || {
        loop {
            let line = soon(lines.next_line()).await.expect("read").expect("running");
            if line != "probe" {
                return line;
            }
        }
    };
    assert_eq!(shown().await, "accepted", "the newest that waited, and only that");
    server.lamps.light(ack, b"completed");
    assert_eq!(shown().await, "completed");
}

#[tokio::test]
async fn of_two_servers_one_takes_until_it_ends_and_the_other_goes_on() {
    let mosquitto = Mosquitto::start().await;
    let lease = FakeLease::default();
    let mut first = Server::with(&mosquitto, lease.clone()).when_subscribed(&mosquitto).await;
    let mut second = Server::with(&mosquitto, lease);
    for _ in 0..3 {
        mosquitto.press("one", &[]).await;
        let handed = first.press().await;
        assert_eq!(handed.connection, 1, "nobody takes over the session");
        handed.is(Taken::Done);
    }
    assert!(second.handed.try_recv().is_err());
    first.stop().await;
    mosquitto.press("two", &[]).await;
    let handed = second.press().await;
    assert_eq!((handed.text(), handed.connection), ("two", 1));
}

#[tokio::test]
async fn who_loses_the_lease_leaves_the_broker() {
    let mosquitto = Mosquitto::start().await;
    let lease = FakeLease::default();
    let mut server = Server::with(&mosquitto, lease.clone()).when_subscribed(&mosquitto).await;
    lease.lost.cancel();
    drop(soon(lease.held.lock()).await);
    mosquitto.press("kept", &[]).await;
    assert!(server.handed.try_recv().is_err());
    let mut other = Server::with(&mosquitto, FakeLease::default());
    assert_eq!(other.press().await.text(), "kept");
}
