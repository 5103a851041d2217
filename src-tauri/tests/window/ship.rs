//! MY Serenity, served by the real program as the demo does it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crewbell_desk::{Process, until};
use serde_json::{Value, json};

/// A ship whose server can be taken away and brought back.
pub struct Ship {
    // Ended before its folder goes.
    server: Option<Process>,
    folder: tempfile::TempDir,
    pub http: u16,
    mqtt: u16,
    /// What the server said when it was ready.
    pub line: Value,
    presses: u32,
}

/// The server's program, which cargo puts beside the app's.
fn program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_crewbell")).with_file_name("crewbell-server")
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Ship {
    pub fn sail() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewbell-ship-").tempdir()?;
        // Open to the user that PostgreSQL runs as when the tests run as root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let mut ship =
            Self { server: None, folder, http: free_port(), mqtt: free_port(), line: Value::Null, presses: 0 };
        ship.serve()?;
        Ok(ship)
    }

    /// Starts the server on what it has.
    pub fn serve(&mut self) -> Result<()> {
        let said = self.folder.path().join("server.json");
        let mut command = Command::new(program());
        command
            .args(["demo", "--headless", "--json", "--data-dir"])
            .arg(self.folder.path().join("data"))
            .args(["--http", &format!("127.0.0.1:{}", self.http), "--mqtt", &format!("127.0.0.1:{}", self.mqtt)])
            .env_remove("CREWBELL_CONFIG")
            .stdout(std::fs::File::create(&said)?)
            .stderr(Stdio::null());
        let mut server = Process::start_with_output(&mut command, &said)?;
        self.line = until("the server", || {
            if let Some(status) = server.ended()? {
                bail!("the server ended: {status}");
            }
            let text = std::fs::read_to_string(&said)?;
            Ok(text.lines().next().and_then(|line| serde_json::from_str(line).ok()))
        })?;
        self.server = Some(server);
        Ok(())
    }

    /// Takes the server away.
    pub fn go_away(&mut self) {
        self.server = None;
    }

    /// What the line says of somebody of the crew.
    pub fn person(&self, name: &str) -> &Value {
        self.line["people"].as_array().unwrap().iter().find(|person| person["name"] == name).unwrap()
    }

    /// Somebody's PIN, unless it was changed.
    pub fn pin(&self, name: &str) -> &str {
        self.person(name)["pin"].as_str().unwrap()
    }

    /// A guest presses, by `mosquitto_pub`; it returns when the press is acknowledged. Gives back the place's name.
    pub fn press(&mut self, device: &str, kind: &str) -> Result<String> {
        self.presses += 1;
        let buttons = self.line["buttons"].as_array().context("no buttons")?;
        let button = buttons.iter().find(|button| button["id"] == device).context("no such button")?;
        self.publish(button, &format!("obedio/button/{device}/pressed"), &self.pressed(kind))?;
        Ok(button["place"].as_str().context("no place")?.to_owned())
    }

    /// A button that nobody on board knows is pressed: it signs in with the site's join code.
    pub fn press_new(&mut self, device: &str) -> Result<()> {
        self.presses += 1;
        self.publish(&self.line["join"], &format!("obedio/button/{device}/pressed"), &self.pressed("single"))
    }

    /// A device that the site's join code lets in says something.
    pub fn hear(&mut self, topic: &str, payload: &str) -> Result<()> {
        self.presses += 1;
        self.publish(&self.line["join"], topic, payload)
    }

    /// What a button sends when it is pressed.
    fn pressed(&self, kind: &str) -> String {
        json!({ "press_id": format!("story-{}", self.presses), "kind": kind, "key": "main" }).to_string()
    }

    /// What the guest said while they held the button, as the button sends it; returns when it is acknowledged.
    pub fn say(&mut self, device: &str, samples: &[i16]) -> Result<()> {
        self.presses += 1;
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let payload = json!({
            "button": "main", "pressType": "voice", "format": "pcm", "duration": samples.len() / 16_000,
            "data": STANDARD.encode(bytes),
        });
        let buttons = self.line["buttons"].as_array().context("no buttons")?;
        let button = buttons.iter().find(|button| button["id"] == device).context("no such button")?;
        self.publish(button, &format!("obedio/button/{device}/voice"), &payload.to_string())
    }

    /// Publishes as a button does, with somebody's user name and password.
    fn publish(&self, who: &Value, topic: &str, payload: &str) -> Result<()> {
        let file = self.folder.path().join("payload");
        std::fs::write(&file, payload)?;
        let status = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &self.mqtt.to_string(), "-q", "1"])
            .args(["-u", who["username"].as_str().unwrap(), "-P", who["password"].as_str().unwrap()])
            .args(["-i", &format!("story-{}", self.presses), "-t", topic])
            .arg("-f")
            .arg(&file)
            .status()?;
        anyhow::ensure!(status.success(), "mosquitto_pub ended with {status}");
        Ok(())
    }

    /// What `crewbell-server qr` prints for this ship.
    pub fn code(&self) -> Result<String> {
        let site = self.line["site"]["slug"].as_str().context("no slug")?;
        let printed = Command::new(program())
            .args(["qr", "--site", site, "--address", &format!("http://127.0.0.1:{}", self.http)])
            .env_remove("CREWBELL_CONFIG")
            .output()?;
        anyhow::ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        Ok(String::from_utf8(printed.stdout)?)
    }

    /// Puts away what the demo has open, so that nothing rings.
    pub fn calm(&self) -> Result<()> {
        for state in ["open", "accepted"] {
            let list = self.get("Dana", &format!("/api/service-requests?state={state}"))?;
            for request in requests(&list) {
                let id = request["id"].as_str().context("no id")?;
                self.post("Dana", &format!("/api/service-requests/{id}/cancel"), &json!({}))?;
            }
        }
        Ok(())
    }

    /// Asks the server something as a person.
    pub fn get(&self, name: &str, path: &str) -> Result<Value> {
        self.ask(name, "GET", path, &json!({}))
    }

    /// Does something as a person, at a device without a window.
    pub fn post(&self, name: &str, path: &str, body: &Value) -> Result<Value> {
        self.ask(name, "POST", path, body)
    }

    /// Lets calls ring so long, in seconds.
    pub fn rings_for(&self, seconds: u32) -> Result<()> {
        let mut settings = self.get("Alex", "/api/site")?["settings"].take();
        settings["ring_time_s"] = seconds.into();
        let id = "01900000-0000-7000-8000-00000000c0de";
        let command = serde_json::json!({ "id": id, "type": "save_settings", "settings": settings });
        let said = self.post("Alex", "/api/commands", &serde_json::json!({ "commands": [command] }))?;
        anyhow::ensure!(!said.to_string().contains("\"refusal\":{"), "{said}");
        Ok(())
    }

    fn ask(&self, name: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let token = self.person(name)["token"].as_str().context("no token")?;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        anyhow::ensure!(head.contains(" 200 "), "{path}: {head}");
        Ok(serde_json::from_str(body)?)
    }
}

/// The requests of an answer, whether it is a list or an object with one.
pub fn requests(answer: &Value) -> Vec<Value> {
    let list = answer.as_array().or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.cloned().unwrap_or_default()
}
