//! The command-line contract of the program: its output, the files it leaves behind, and its error messages.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use demo::{Demo, Folder, START, program, stop};

#[path = "props/demo.rs"]
mod demo;

const ANY: [&str; 4] = ["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"];

/// Runs the program, which must exit by itself.
async fn run(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    timeout(Duration::from_secs(30), program(args).output()).await.expect("it ends by itself").unwrap()
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Folder {
    /// Waits until PostgreSQL has ended. Its log writer ends when its pipe closes, which is after all other processes,
    /// and no process waits for it.
    async fn is_left(&self) {
        let left = async {
            while !self.postgres().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let left = timeout(Duration::from_secs(2), left).await;
        assert!(left.is_ok(), "PostgreSQL goes with the server, and {:?} stayed", self.postgres());
    }
}

impl Demo {
    fn text(&self, pointer: &str) -> String {
        let text = self.ready.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("{pointer} is no text in {}", self.ready)).to_owned()
    }

    /// Returns the requests that a crew member sees, by the token from the ready line.
    async fn requests(&self) -> Vec<Value> {
        let url = format!("http://{}/api/service-requests", self.text("/http"));
        let answer = client().get(url).bearer_auth(self.text("/people/0/token")).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json::<Value>().await.unwrap()["items"].as_array().unwrap().clone()
    }

    /// Presses a button, by its index in the ready line, with `mosquitto_pub`.
    async fn press(&self, number: usize, press_id: &str) {
        let of = |field: &str| self.text(&format!("/buttons/{number}/{field}"));
        let mqtt = self.text("/mqtt");
        let (host, port) = mqtt.rsplit_once(':').unwrap();
        let mut button = Command::new("mosquitto_pub");
        button.args(["-h", host, "-p", port, "-q", "1", "-i", &of("id"), "-u", &of("username"), "-P", &of("password")]);
        button.args(["-t", &format!("obedio/button/{}/pressed", of("id"))]);
        button.args(["-m", &json!({ "press_id": press_id, "kind": "double", "key": "main" }).to_string()]);
        let pressed = timeout(Duration::from_secs(10), button.status()).await.expect("it is acknowledged").unwrap();
        assert!(pressed.success(), "{pressed}");
    }
}

fn has_press(requests: &[Value], press_id: &str) -> bool {
    requests.iter().any(|request| request["last_press_id"] == press_id && request["kind"] == "urgent")
}

#[tokio::test]
async fn the_demo_keeps_its_contract_from_the_first_start_to_the_second() {
    let folder = Folder::new();
    let demo = Demo::start(&folder.data(), ANY[3]).await;
    every_documented_field_is_there(&demo);
    demo.press(3, "contract-1").await;
    assert!(has_press(&demo.requests().await, "contract-1"), "what was acknowledged is there at once");

    let data = folder.data();
    let args = [["demo", "--headless", "--json", "--data-dir", data.to_str().unwrap()].as_slice(), &ANY].concat();
    let second = run(args).await;
    assert_eq!((second.status.code(), second.stdout.as_slice()), (Some(1), b"".as_slice()));
    let why = String::from_utf8(second.stderr).unwrap();
    let pid = demo.child.id().unwrap();
    assert!(why.contains("in use by another crewbell-server") && why.contains(&format!("process {pid}")), "{why}");
    assert!(has_press(&demo.requests().await, "contract-1"), "the first goes on");

    assert!(!folder.postgres().is_empty(), "a search that finds nothing would prove nothing");
    let (site, people) = (demo.ready["site"].clone(), ids(&demo.ready["people"]));
    demo.stop().await;
    folder.is_left().await;

    let demo = Demo::start(&folder.data(), ANY[3]).await;
    assert_eq!((&demo.ready["site"], ids(&demo.ready["people"])), (&site, people));
    assert!(has_press(&demo.requests().await, "contract-1"), "it goes on with what is in the folder");
    demo.press(3, "contract-1").await;
    let requests = demo.requests().await;
    let times: Vec<_> = requests.iter().filter(|request| request["last_press_id"] == "contract-1").collect();
    assert!(
        times.len() == 1 && times[0]["press_count"] == 1,
        "a press is known as the same after a restart: {times:?}"
    );
    demo.stop().await;
}

fn ids(people: &Value) -> Vec<Value> {
    people.as_array().unwrap().iter().map(|person| person["id"].clone()).collect()
}

/// Checks the ready line against `docs/demo.md`.
fn every_documented_field_is_there(demo: &Demo) {
    for address in ["/http", "/mqtt"] {
        let address: std::net::SocketAddr = demo.text(address).parse().unwrap();
        assert!(address.ip().is_loopback() && address.port() != 0, "{address}");
    }
    assert_eq!(demo.ready["pid"], demo.child.id().unwrap());
    demo.text("/database").parse::<sqlx::postgres::PgConnectOptions>().unwrap();
    assert_eq!((demo.text("/site/slug"), demo.text("/site/name")), ("serenity".into(), "MY Serenity".into()));
    let id = |pointer: &str| demo.text(pointer).parse::<uuid::Uuid>().unwrap();
    id("/site/id");
    let people = demo.ready["people"].as_array().unwrap();
    assert_eq!(people.len(), 9);
    for place in 0..people.len() {
        let of = |field| demo.text(&format!("/people/{place}/{field}"));
        id(&format!("/people/{place}/id"));
        assert_eq!(of("pin"), (1001 + place).to_string());
        assert!(!of("name").is_empty() && !of("role").is_empty() && !of("token").is_empty());
    }
    for role in ["crew", "supervisor", "technician", "dispatcher", "admin"] {
        assert!(people.iter().any(|person| person["role"] == role), "{role}");
    }
    let buttons = demo.ready["buttons"].as_array().unwrap();
    assert_eq!(buttons.len(), 14);
    for place in 0..buttons.len() {
        for field in ["id", "place", "username", "password"] {
            assert!(!demo.text(&format!("/buttons/{place}/{field}")).is_empty());
        }
    }
    assert!(!demo.text("/join/username").is_empty() && !demo.text("/join/password").is_empty());
}

#[tokio::test]
async fn the_file_that_serve_writes_is_a_file_that_serve_reads() {
    let folder = Folder::new();
    let written = run(["serve", "--write-config"]).await;
    assert!(written.status.success());
    let file = folder.0.path().join("crewbell.toml");
    std::fs::write(&file, &written.stdout).unwrap();

    let data = folder.data();
    let args = ["serve", "--config", file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let mut child = program([args.as_slice(), &ANY].concat()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let serves = async {
        let mut read = false;
        while let Some(line) = lines.next_line().await.unwrap() {
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
            read |= line["fields"]["file"] == file.to_str().unwrap();
            if let Some(http) = line["fields"]["http"].as_str() {
                return (read, http.to_owned());
            }
        }
        panic!("it ended before it served");
    };
    let (read, http) = timeout(START, serves).await.expect("it serves in time");
    assert!(read, "it says which file it read");
    let ready = client().get(format!("http://{http}/readyz")).send().await.unwrap();
    assert!(ready.status().is_success());
    // A closed log pipe must not stop the server.
    drop(lines);
    stop(child).await;
    folder.is_left().await;
}

#[tokio::test]
async fn a_wrong_value_in_the_file_is_named_with_its_line() {
    let folder = Folder::new();
    let written = String::from_utf8(run(["serve", "--write-config"]).await.stdout).unwrap();
    for (right, wrong) in [
        ("listen = \"0.0.0.0:8080\"", "listen = \"here\""),
        ("drain = \"10s\"", "drain = \"soon\""),
        ("mode = \"embedded\"", "mode = \"carrier pigeon\""),
        ("tls = false", "tsl = false"),
    ] {
        let place = written.lines().position(|line| line.contains(right)).unwrap_or_else(|| panic!("{right}")) + 1;
        let file = folder.0.path().join("crewbell.toml");
        std::fs::write(&file, written.replacen(right, wrong, 1)).unwrap();
        let data = folder.data();
        let args = ["serve", "--config", file.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
        let refused = run([args.as_slice(), &ANY].concat()).await;
        assert_eq!(refused.status.code(), Some(1));
        let why = String::from_utf8(refused.stderr).unwrap();
        assert!(why.contains(&format!("{}, line {place},", file.display())) && why.contains(wrong), "{wrong}: {why}");
        assert!(!data.exists(), "nothing is begun with wrong settings");
    }
}

#[tokio::test]
async fn the_printed_interface_is_the_one_in_the_docs() {
    let printed = run(["openapi"]).await;
    assert!(printed.status.success());
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json")).unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(
        printed.trim_end() == kept.trim_end(),
        "`crewbell-server openapi > docs/openapi.json` brings it up to date"
    );
}

#[tokio::test]
async fn a_code_to_scan_says_where_the_server_is_or_what_is_missing() {
    let folder = Folder::new();
    let data = folder.data();
    let qr = async |args: &[&str]| run([&["qr", "--data-dir", data.to_str().unwrap()], args].concat()).await;
    let printed = qr(&["--address", "http://192.168.7.5:8080", "--site", "serenity"]).await;
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("\ncrewbell://join?server=http%3A%2F%2F192.168.7.5%3A8080&site=serenity\n"), "{printed}");
    assert!(printed.lines().filter(|line| line.contains(['▀', '▄', '█'])).count() > 15, "{printed}");
    assert!(!printed.contains('\x1b'), "no colours where there is no terminal");
    // Without an address it is this machine's; a wrong one, or a missing site, gives an error message.
    let printed = qr(&["--site", "serenity", "--http", "127.0.0.1:4711"]).await;
    assert!(String::from_utf8(printed.stdout).unwrap().contains("server=http%3A%2F%2F127.0.0.1%3A4711&site=serenity"));
    for (args, why) in [
        (&["--address", "ship", "--site", "serenity"][..], "must be like http://"),
        (&["--address", "http://ship", "--site", "MY Serenity"], "short name"),
        (&["--http", "127.0.0.1:1"], "--site names one"),
    ] {
        let refused = qr(args).await;
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0), "{args:?}");
        assert!(String::from_utf8(refused.stderr).unwrap().contains(why), "{args:?}");
    }
    assert!(!data.exists(), "no database is begun for a code");
}
