//! Foreign clients: `mosquitto_pub` and `mosquitto_sub`.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

pub use crate::props::until;

use crate::ship::soon;

/// The connection settings of Mosquitto's programs.
#[derive(Clone)]
pub struct Mosquitto {
    address: SocketAddr,
    version: &'static str,
    login: Option<(String, String)>,
}

impl Mosquitto {
    /// Creates a client with credentials; `version` is `mqttv311` or `mqttv5`.
    pub fn new(address: SocketAddr, version: &'static str, user: &str, password: &str) -> Self {
        Self { address, version, login: Some((user.into(), password.into())) }
    }

    /// Creates a client without credentials.
    pub fn nobody(address: SocketAddr, version: &'static str) -> Self {
        Self { address, version, login: None }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        command.args(["-h", &host, "-p", &port, "-V", self.version]).kill_on_drop(true);
        if let Some((user, password)) = &self.login {
            command.args(["-u", user, "-P", password]);
        }
        command
    }

    /// Publishes at QoS 1; returns whether the program succeeded: connected, published and acknowledged.
    pub async fn tell(&self, topic: &str, payload: &[u8], retain: bool) -> bool {
        let mut command = self.command("mosquitto_pub");
        let what = if payload.is_empty() { "-n" } else { "-s" };
        command.args(["-q", "1", "-t", topic, what]).args(retain.then_some("-r"));
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // The program may close its input before it has read all.
        let _ = child.stdin.take().unwrap().write_all(payload).await;
        soon(child.wait()).await.unwrap().success()
    }

    /// Publishes a JSON payload, which must be accepted.
    pub async fn say(&self, topic: &str, payload: &Value) {
        assert!(self.tell(topic, payload.to_string().as_bytes(), false).await, "{topic}: {payload}");
    }

    /// Subscribes to a topic; returns when the subscription is confirmed.
    pub async fn listen(&self, topic: &str) -> Listening {
        // Its debug output shows when the subscription is confirmed; `stdbuf` makes it line-buffered.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub"]).args(self.command("mosquitto_sub").as_std().get_args());
        let child =
            command.args(["-d", "-v", "-t", topic]).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = child.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = soon(lines.next_line()).await.unwrap() {
            if line.starts_with("Subscribed") {
                break;
            }
        }
        Listening { lines, topic: topic.into(), _child: child }
    }
}

/// A running `mosquitto_sub`.
pub struct Listening {
    lines: Lines<BufReader<ChildStdout>>,
    topic: String,
    _child: Child,
}

impl Listening {
    /// Returns the next message.
    pub async fn hear(&mut self) -> Value {
        loop {
            let line = soon(self.lines.next_line()).await.unwrap().expect("mosquitto_sub goes on");
            if let Some(payload) = line.strip_prefix(&format!("{} ", self.topic)) {
                return serde_json::from_str(payload).unwrap();
            }
        }
    }
}
