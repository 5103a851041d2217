//! Resource limits: clients that hold connections, misconfigured devices, and buttons that are unaffected by either.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crewbell_server::limits::raise_descriptors;
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::cast::{Crew, Gus};
use crate::ship::{Ship, soon};
use crate::wire::{Packet, Wire};

/// Connects from one of this machine's loopback addresses.
async fn from(host: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 9, host], 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Returns the administrator's list of unrecognised messages, once it has the expected number.
async fn listed(alex: &Crew, reasons: usize) -> Vec<Value> {
    for _ in 0..400 {
        let items = alex.get("/api/buttons/unrecognised").await["items"].as_array().unwrap().clone();
        if items.len() >= reasons {
            return items;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the list has fewer than {reasons} items")
}

#[tokio::test]
async fn fifteen_hundred_silent_connections_to_each_port_delay_neither_buttons_nor_screens() {
    if raise_descriptors() < 16_384 {
        return crewbell_shared::testing::skipped("the system allows too few open files");
    }
    let ship = Ship::sail().await;
    let (mqtt, http) = (ship.server.mqtt.unwrap(), ship.server.http);
    let sam = ship.sam().await;
    let mut held = Vec::new();
    for host in 0..=1 {
        for n in 0..750 {
            held.push(from(host, mqtt).await);
            let mut slow = from(host, http).await;
            // Half of them send a partial request.
            if n % 2 == 0 {
                slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").await.unwrap();
            }
            held.push(slow);
        }
    }
    for round in 0..5 {
        let began = Instant::now();
        let mut gus = ship.gus_in(1).await;
        gus.press("single").await;
        assert!(!sam.open_requests().await.is_empty());
        // On a new connection.
        let response = soon(reqwest::get(format!("http://{http}/readyz"))).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "round {round}");
        println!("a button came back and pressed, and two requests were answered, in {:?}", began.elapsed());
    }
    let mut screen = sam.screen(None).await;
    ship.gus_in(2).await.press("single").await;
    screen.see("request_created").await;
    assert_eq!(held.len(), 3000);
}

#[tokio::test]
async fn whoever_says_half_a_request_or_reads_no_answer_is_no_longer_served_than_need_be() {
    let ship = Ship::sail().await;
    let mut stranger = TcpStream::connect(ship.server.http).await.unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n", "x".repeat(100_000));
    let _ = stranger.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = soon(stranger.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// A tracing layer that counts log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() <= tracing::Level::INFO && event.metadata().target().starts_with("crewbell") {
            self.0.lock().unwrap().push(format!("{:?}", event.metadata().target()));
        }
    }
}

#[tokio::test]
async fn thousands_of_wrong_passwords_cost_a_line_and_keep_no_button_out() {
    let ship = Ship::sail().await;
    let mqtt = ship.server.mqtt.unwrap();
    let alex = ship.crew("Alex").await;
    let mut gus = ship.gus_in(1).await;
    gus.press("single").await;
    let lines = Lines::default();
    let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));

    let mut slowed = 0;
    for n in 0..2000 {
        let user = if n % 2 == 0 { "serenity/cabin-2" } else { "serenity/nobody" };
        let error = soon(Wire::connect(mqtt, "guesser", Some((user, "wrong")))).await.err().unwrap();
        slowed += usize::from(error.to_string().contains("Some(3)"));
    }
    assert!(slowed > 1900, "most were not even judged: {slowed}");
    drop(logging);
    let lines = lines.0.lock().unwrap().clone();
    assert!(lines.len() <= 5, "{lines:#?}");

    // From the guesser's own address: a client with correct earlier credentials, and a name that wasn't guessed at.
    drop(gus);
    let mut gus = ship.gus_in(1).await;
    gus.press("single").await;
    ship.gus_in(3).await.press("single").await;
    // From another address even the name that was guessed at is accepted.
    let mut other = from(7, mqtt).await;
    other.write_all(&connect("cabin-2", "serenity/cabin-2", "secret-2")).await.unwrap();
    let mut connack = [0; 4];
    soon(other.read_exact(&mut connack)).await.unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);

    let items = listed(&alex, 2).await;
    let of = |reason: &str| items.iter().find(|item| item["reason"] == reason).unwrap_or_else(|| panic!("{items:#?}"));
    assert_eq!(of("wrong_password")["device"], "cabin-2");
    assert!(of("wrong_password")["sample"].as_str().unwrap().contains("127.0.0.1"), "{items:#?}");
    assert_eq!(of("unknown_user_name")["device"], "", "names that were made up don't fill the list");
}

/// Encodes a CONNECT of MQTT 3.1.1.
fn connect(client_id: &str, user: &str, password: &str) -> Vec<u8> {
    let mut body = b"\0\x04MQTT\x04\xc2\0\x3c".to_vec();
    for text in [client_id, user, password] {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    }
    [&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

#[tokio::test]
async fn what_is_refused_for_good_is_acknowledged_in_mqtt_3_and_stands_in_the_list_with_what_to_do() {
    let ship = Ship::sail().await;
    let alex = ship.crew("Alex").await;
    let mqtt = ship.server.mqtt.unwrap();
    let press = br#"{"press_id": "x-1", "kind": "single"}"#;
    let recorder = PrometheusBuilder::new().build_recorder();
    let counting = metrics::set_default_local_recorder(&recorder);

    // A button that publishes on its neighbour's topic.
    let mut wire = Wire::connect(mqtt, "cabin-1", Some(("serenity/cabin-1", "secret-1"))).await.unwrap();
    wire.publish(7, "obedio/button/cabin-2/pressed", press, false, false).await.unwrap();
    assert_eq!(soon(wire.next()).await.unwrap(), Packet::PubAck(7));
    // A gateway that publishes for a button with a password of its own.
    let mut gateway = Wire::connect(mqtt, "gateway", Some(("serenity", "join-me"))).await.unwrap();
    gateway.publish(8, "obedio/button/cabin-3/pressed", press, false, false).await.unwrap();
    assert_eq!(soon(gateway.next()).await.unwrap(), Packet::PubAck(8));

    drop(counting);
    let metrics = recorder.handle().render();
    assert!(metrics.contains("mqtt_refused_total{why=\"not_its_own\"} 2"), "{metrics}");

    let items = listed(&alex, 2).await;
    let of = |device: &str| items.iter().find(|item| item["device"] == device).unwrap_or_else(|| panic!("{items:#?}"));
    assert_eq!(of("cabin-1")["topic"], "obedio/button/cabin-2/pressed", "under the one that spoke");
    assert_eq!((&of("cabin-1")["reason"], &of("cabin-3")["reason"]), (&json!("not_its_own"), &json!("not_its_own")));
    for item in &items {
        assert!(item["remedy"].as_str().unwrap().ends_with('.'), "{item}");
    }
    assert_eq!(ship.count("select count(*) from presses").await, 0);
}

#[tokio::test]
async fn twenty_boards_with_one_client_id_behind_the_join_code_all_ring() {
    let ship = Ship::sail().await;
    let alex = ship.crew("Alex").await;
    let mqtt = ship.server.mqtt.unwrap();
    let lines = Lines::default();
    let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let board = || async { Wire::connect(mqtt, "esp32-button", Some(("serenity", "join-me"))).await.unwrap() };
    let mut boards = Vec::new();
    for _ in 0..20 {
        boards.push(board().await);
    }
    for round in 1..=2_u16 {
        for (number, wire) in boards.iter_mut().enumerate() {
            let topic = format!("obedio/button/board-{number}/pressed");
            let press = format!(r#"{{"press_id": "{number}-{round}", "kind": "single"}}"#);
            loop {
                let sent = wire.publish(round, &topic, press.as_bytes(), false, false).await;
                if sent.is_ok() && matches!(soon(wire.next()).await, Ok(Packet::PubAck(id)) if id == round) {
                    break;
                }
                // Another client with the same id took over the session: it reconnects and resends, as a button does.
                *wire = board().await;
            }
        }
    }
    drop(logging);
    assert_eq!(ship.count("select count(distinct button_id) from presses").await, 20);
    assert_eq!(ship.count("select count(*) from presses").await, 40);
    let said = lines.0.lock().unwrap().iter().filter(|target| target.contains("message_handler")).count();
    assert!((41..=42).contains(&said), "a line for each of 40 presses, and one or two for what is wrong: {said}");
    let items = listed(&alex, 1).await;
    let told = items.iter().find(|item| item["reason"] == "shared_client_id").unwrap_or_else(|| panic!("{items:#?}"));
    assert!(told["sample"].as_str().unwrap().contains("esp32-button"), "{told}");
    assert!(told["remedy"].as_str().unwrap().contains("client id"), "{told}");
}

#[tokio::test]
async fn when_no_more_buttons_can_be_let_in_it_is_said() {
    let ship = Ship::sail().await;
    let doors = &ship.server.registry.connections;
    let mut held = Vec::new();
    for port in 1.. {
        let host = u8::try_from(port / 512).unwrap();
        let slot = doors.mqtt.enter(([10, 9, 8, host], port).into()).unwrap();
        if slot.sign_in(crewbell_server::limits::Standing::Known).is_err() {
            break;
        }
        held.push(slot);
    }
    let ready = || async {
        let response = soon(reqwest::get(format!("http://{}/readyz", ship.server.http))).await.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    let (status, words) = ready().await;
    assert_eq!((status, words.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "no room for more buttons\n"));
    let lines = Lines::default();
    let logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    assert!(!Gus::try_connect(ship.server.mqtt.unwrap(), "cabin-1", "serenity/cabin-1", "secret-1").await);
    drop(logging);
    assert_eq!(lines.0.lock().unwrap().len(), 1, "and the log has a line of it");
    held.pop();
    assert_eq!(ready().await.0, StatusCode::OK);
    ship.gus_in(1).await.press("single").await;
}
