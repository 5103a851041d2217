//! MY Serenity, served by the real program in demo mode.

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

/// A ship whose server can be stopped and started again.
pub struct Ship {
    // Ended before its folder is removed.
    server: Option<Process>,
    folder: tempfile::TempDir,
    pub http: u16,
    mqtt: u16,
    /// The server's JSON line at start-up.
    pub line: Value,
    presses: u32,
}

/// Returns the path of the server's program, which cargo puts beside the app's.
fn program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_crewbell")).with_file_name("crewbell-server")
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Ship {
    pub fn sail() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewbell-ship-").tempdir()?;
        // Readable by the user that PostgreSQL runs as when the tests run as root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let mut ship =
            Self { server: None, folder, http: free_port(), mqtt: free_port(), line: Value::Null, presses: 0 };
        ship.serve()?;
        Ok(ship)
    }

    /// Starts the server on its existing data.
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

    /// Stops the server.
    pub fn go_away(&mut self) {
        self.server = None;
    }

    /// Returns a crew member from the start-up line.
    pub fn person(&self, name: &str) -> &Value {
        self.line["people"].as_array().unwrap().iter().find(|person| person["name"] == name).unwrap()
    }

    /// Returns a person's original PIN.
    pub fn pin(&self, name: &str) -> &str {
        self.person(name)["pin"].as_str().unwrap()
    }

    /// A guest presses a button, by `mosquitto_pub`; returns the place's name once the press is acknowledged.
    pub fn press(&mut self, device: &str, kind: &str) -> Result<String> {
        self.presses += 1;
        let buttons = self.line["buttons"].as_array().context("no buttons")?;
        let button = buttons.iter().find(|button| button["id"] == device).context("no such button")?;
        self.publish(button, &format!("obedio/button/{device}/pressed"), &self.pressed(kind))?;
        Ok(button["place"].as_str().context("no place")?.to_owned())
    }

    /// Presses a button that is not registered: it signs in with the site's join code.
    pub fn press_new(&mut self, device: &str) -> Result<()> {
        self.presses += 1;
        self.publish(&self.line["join"], &format!("obedio/button/{device}/pressed"), &self.pressed("single"))
    }

    /// Publishes a message as a device with the site's join code.
    pub fn hear(&mut self, topic: &str, payload: &str) -> Result<()> {
        self.presses += 1;
        self.publish(&self.line["join"], topic, payload)
    }

    /// Returns the payload of a press.
    fn pressed(&self, kind: &str) -> String {
        json!({ "press_id": format!("story-{}", self.presses), "kind": kind, "key": "main" }).to_string()
    }

    /// Sends a guest's voice message as the button does; returns when it is acknowledged.
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

    /// Publishes as a button does, with a user name and a password.
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

    /// Returns the output of `crewbell-server qr` for this ship.
    pub fn code(&self) -> Result<String> {
        let site = self.line["site"]["slug"].as_str().context("no slug")?;
        let printed = Command::new(program())
            .args(["qr", "--site", site, "--address", &format!("http://127.0.0.1:{}", self.http)])
            .env_remove("CREWBELL_CONFIG")
            .output()?;
        anyhow::ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        Ok(String::from_utf8(printed.stdout)?)
    }

    /// Cancels the demo's open and accepted requests, so that nothing rings.
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

    /// Sends a GET request as a person.
    pub fn get(&self, name: &str, path: &str) -> Result<Value> {
        self.ask(name, "GET", path, &json!({}))
    }

    /// Sends a POST request as a person, from a device without a window.
    pub fn post(&self, name: &str, path: &str, body: &Value) -> Result<Value> {
        self.ask(name, "POST", path, body)
    }

    /// Sets the ring time of calls, in seconds.
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

/// Returns the requests of an answer, whether it is a list or an object with one.
pub fn requests(answer: &Value) -> Vec<Value> {
    let list = answer.as_array().or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.cloned().unwrap_or_default()
}
