//! A running Mosquitto: an external MQTT broker for the buttons.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use super::until;

/// A broker with persistence, which survives a kill; removed on drop.
pub struct Broker {
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
    child: Child,
}

impl Broker {
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("crewbell-broker-").tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence true\nautosave_interval 1\n\
             autosave_on_changes true\npersistence_location {}/\nuser root\nset_tcp_nodelay true\n\
             log_dest stderr\nlog_type notice\nlog_type warning\nlog_type error\nlog_type subscribe\n",
            address.port(),
            folder.path().display()
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let child = spawn(folder.path());
        let broker = Self { address, folder, child };
        broker.is_up().await;
        broker
    }

    /// Kills the broker with SIGKILL.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Suspends the broker: it reads and sends nothing more.
    pub fn freeze(&self) {
        let pid = self.child.id().unwrap().try_into().unwrap();
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    }

    /// Starts the broker after a kill.
    pub async fn start_again(&mut self) {
        self.child = spawn(self.folder.path());
        self.is_up().await;
    }

    /// Waits until the broker accepts a client, the only sign that it is up.
    async fn is_up(&self) {
        until("the broker is up", async || self.run("mosquitto_pub", &["-t", "up", "-m", "?"]).await).await;
    }

    /// Creates the command of a Mosquitto client that connects to this broker.
    pub fn command(&self, program: &str, more: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.address.port().to_string(), "-V", "mqttv5"]).args(more);
        command.stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a client to its end, and returns whether it succeeded.
    pub async fn run(&self, program: &str, more: &[&str]) -> bool {
        self.command(program, more).status().await.expect("mosquitto-clients are installed").success()
    }

    /// Returns the number of log lines that contain a text.
    pub fn said(&self, text: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.lines().filter(|line| line.contains(text)).count()
    }
}

fn spawn(folder: &Path) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(folder.join("config")).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    command.spawn().expect("mosquitto is installed")
}
