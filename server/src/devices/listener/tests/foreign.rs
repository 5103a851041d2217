//! Tests with third-party clients: Mosquitto's and rumqttc.

use std::time::Duration;

use rstest::rstest;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, PublishOptions, mqttbytes::QoS};
use tokio::process::Command;

use super::{
    super::{Gone, Outgoing, Taken},
    handler::{Fixture, soon},
};

pub(super) fn mosquitto(program: &str, fixture: &Fixture, version: &str, more: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &fixture.addr.port().to_string(), "-V", version]).args(more);
    command.kill_on_drop(true);
    command
}

#[rstest]
#[tokio::test]
async fn mosquitto_pub_ends_only_after_the_message_was_taken(
    #[values("mqttv311", "mqttv5")] version: &str,
    #[values("0", "1")] qos: &str,
) {
    let mut fixture = Fixture::open().await;
    let more = ["-q", qos, "-t", "obedio/button/7/pressed", "-m", "{}", "-i", "b7", "-u", "seven", "-P", "x"];
    let mut publisher = mosquitto("mosquitto_pub", &fixture, version, &more).spawn().expect("mosquitto-clients");
    let handed = fixture.handed().await;
    assert_eq!((handed.peer.client_id.as_str(), &*handed.peer.principal), ("b7", "seven"));
    assert_eq!(&handed.message.payload[..], b"{}");
    if qos == "1" {
        assert!(publisher.try_wait().expect("a child").is_none(), "it still waits for PUBACK");
    }
    handed.is(Taken::Done);
    assert!(soon(publisher.wait()).await.expect("a child").success());
    assert_eq!(fixture.gone().await.1, Gone::Clean);
}

#[tokio::test]
async fn mosquitto_pub_gets_qos_2_through_in_3_1_1() {
    let mut fixture = Fixture::open().await;
    let more = ["-q", "2", "-t", "t", "-m", "x"];
    let mut publisher = mosquitto("mosquitto_pub", &fixture, "mqttv311", &more).spawn().expect("mosquitto-clients");
    fixture.handed().await.is(Taken::Done);
    assert!(soon(publisher.wait()).await.expect("a child").success());
    assert!(fixture.is_quiet());
}

#[tokio::test]
async fn mosquitto_pub_sends_a_thousand_lines() {
    use tokio::io::AsyncWriteExt as _;
    for version in ["mqttv311", "mqttv5"] {
        let mut fixture = Fixture::open().await;
        let mut command = mosquitto("mosquitto_pub", &fixture, version, &["-q", "1", "-t", "t", "-l"]);
        let mut publisher = command.stdin(std::process::Stdio::piped()).spawn().expect("mosquitto-clients");
        let lines: Vec<String> = (0..1000).map(|line| line.to_string()).collect();
        let mut stdin = publisher.stdin.take().expect("piped");
        stdin.write_all((lines.join("\n") + "\n").as_bytes()).await.expect("a reader");
        drop(stdin);
        for line in 0..1000 {
            let handed = fixture.handed().await;
            assert_eq!(handed.message.payload, line.to_string().as_bytes());
            handed.is(Taken::Done);
        }
        assert!(soon(publisher.wait()).await.expect("a child").success());
    }
}

#[rstest]
#[case("mqttv311", &["-c"])]
#[case("mqttv5", &["-c", "-x", "60"])]
#[tokio::test]
async fn libmosquitto_resends_what_could_not_be_taken_though_there_is_no_session(
    #[case] version: &str,
    #[case] session: &[&str],
) {
    use tokio::io::AsyncWriteExt as _;
    let mut fixture = Fixture::open().await;
    let more = [&["-q", "1", "-t", "t", "-i", "b7", "-l"], session].concat();
    let mut command = mosquitto("mosquitto_pub", &fixture, version, &more);
    let mut publisher = command.stdin(std::process::Stdio::piped()).spawn().expect("mosquitto-clients");
    let mut stdin = publisher.stdin.take().expect("piped");
    stdin.write_all(b"press\n").await.expect("a reader");
    fixture.handed().await.is(Taken::NotNow);
    assert_eq!(fixture.gone().await.1, Gone::Closed);
    let again = fixture.handed().await;
    assert_eq!((&again.message.payload[..], again.message.dup), (&b"press"[..], true));
    again.is(Taken::Done);
    drop(stdin);
    assert!(soon(publisher.wait()).await.expect("a child").success());
}

#[tokio::test]
async fn mosquitto_pub_is_told_of_wrong_credentials() {
    let fixture = Fixture::open().await;
    let more = ["-q", "1", "-t", "t", "-m", "x", "-u", "wrong", "-P", "x"];
    for (version, words) in [("mqttv311", "bad user name or password"), ("mqttv5", "Bad User Name or Password")] {
        let output = soon(mosquitto("mosquitto_pub", &fixture, version, &more).output()).await.expect("it ran");
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success() && said.contains(&words.to_lowercase()), "{said}");
    }
}

#[rstest]
#[tokio::test]
async fn mosquitto_sub_sees_the_lamp(#[values("mqttv311", "mqttv5")] version: &str) {
    let fixture = Fixture::open().await;
    let topic = "obedio/button/7/ack";
    let now = Outgoing { topic: topic.to_owned(), payload: "received".into() };
    fixture.judge.state.lock().expect("no panic").insert(topic.to_owned(), now);
    let mut command = mosquitto("mosquitto_sub", &fixture, version, &["-q", "1", "-t", topic, "-C", "2"]);
    command.stdout(std::process::Stdio::piped());
    let mut subscriber = command.spawn().expect("mosquitto-clients");
    let mut lines = {
        use tokio::io::{AsyncBufReadExt as _, BufReader};
        BufReader::new(subscriber.stdout.take().expect("piped")).lines()
    };
    assert_eq!(soon(lines.next_line()).await.expect("utf-8").as_deref(), Some("received"));
    fixture.lamps.publish(topic, b"accepted");
    assert_eq!(soon(lines.next_line()).await.expect("utf-8").as_deref(), Some("accepted"));
    assert!(soon(subscriber.wait()).await.expect("a child").success());
}

#[tokio::test]
async fn rumqttc_publishes_and_hears_its_lamp() {
    let mut fixture = Fixture::open().await;
    let mut options = MqttOptions::new("rum", ("127.0.0.1", fixture.addr.port()));
    options.set_keep_alive(5);
    let (client, mut events) = AsyncClient::builder(options).capacity(200).build();
    client.subscribe("obedio/button/7/ack", QoS::AtMostOnce).await.expect("room");
    for number in 0..100_u8 {
        client.publish("t", vec![number], PublishOptions::new(QoS::AtLeastOnce)).await.expect("room");
    }
    let lamps = fixture.lamps.clone();
    let polling = tokio::spawn(async move {
        let (mut acknowledged, mut lamp) = (Vec::new(), None);
        while acknowledged.len() < 100 || lamp.is_none() {
            match events.poll().await.expect("a connection") {
                Event::Incoming(Incoming::PubAck(puback)) => acknowledged.push(puback.pkid),
                Event::Incoming(Incoming::SubAck(_)) => {
                    lamps.publish("obedio/button/7/ack", b"accepted");
                }
                Event::Incoming(Incoming::Publish(publish)) => lamp = Some(publish.payload),
                Event::Incoming(_) | Event::Outgoing(_) | Event::Auth(_) => {}
            }
        }
        (acknowledged, lamp)
    });
    for number in 0..100_u8 {
        let handed = fixture.handed().await;
        assert_eq!(handed.message.payload, [number][..]);
        handed.is(Taken::Done);
    }
    let (acknowledged, lamp) = soon(polling).await.expect("no panic");
    // rumqttc's packet ids count up to the server's Receive Maximum, then restart at 1.
    let sent: Vec<u16> = (0..100).map(|number| number % 64 + 1).collect();
    assert_eq!(acknowledged, sent);
    assert_eq!(lamp.as_deref(), Some(&b"accepted"[..]));
    drop(client);
    tokio::time::timeout(Duration::from_secs(5), fixture.gone()).await.expect("gone");
}
