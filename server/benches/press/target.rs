//! The process under test, with its addresses and credentials.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

/// Timeout of the demo's first start: a cluster, the migrations, a week of history.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// Timeout of a graceful exit.
const END_LIMIT: Duration = Duration::from_secs(20);

/// The ready line of `crewbell-server demo --headless --json`, with the fields used here.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Target {
    pub(crate) http: SocketAddr,
    pub(crate) mqtt: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) people: Vec<Person>,
    pub(crate) buttons: Vec<Button>,
    /// The credentials of a gateway.
    #[serde(default)]
    pub(crate) join: Option<Join>,
    /// The URL of the database, to count the presses; not every version gives it.
    #[serde(default)]
    pub(crate) database: Option<String>,
    /// Whether the target is an MQTT broker; the crew's devices are then subscribers.
    #[serde(default)]
    pub(crate) only_mqtt: bool,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Person {
    pub(crate) role: String,
    pub(crate) token: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Join {
    pub(crate) username: String,
    pub(crate) password: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Button {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Target {
    /// Returns the tokens of the people who receive every press: crew and supervisors.
    pub(crate) fn tokens(&self) -> Vec<&str> {
        let hears = |person: &&Person| matches!(person.role.as_str(), "crew" | "supervisor");
        self.people.iter().filter(hears).map(|person| person.token.as_str()).collect()
    }
}

/// A started process, ended on drop.
pub(crate) struct Process {
    child: Child,
    pub(crate) target: Target,
}

impl Process {
    /// Starts the server with the demo site in `folder`.
    pub(crate) fn demo(server: &Path, folder: &Path) -> Result<Self> {
        let log = folder.join("server.log");
        let mut command = Command::new(server);
        command
            .args(["demo", "--headless", "--json", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"));
        Self::start(&mut command, &log)
    }

    /// Starts this program as the echo that stores nothing.
    pub(crate) fn stand_in() -> Result<Self> {
        let own = std::env::current_exe().context("could not find this program's own file")?;
        Self::start(Command::new(own).arg("--stand-in"), Path::new("/dev/null"))
    }

    fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let program = PathBuf::from(command.get_program());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let lines = BufReader::new(child.stdout.take().context("a child without output")?).lines();
        let (sender, first) = mpsc::channel();
        // The thread reads to the end, so that the child never blocks on a full pipe.
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let Ok(line) = first.recv_timeout(READY_LIMIT) else {
            end(&mut child);
            let log = fs::read_to_string(log).unwrap_or_default();
            bail!("{} was not ready in time:\n{log}", program.display());
        };
        match serde_json::from_str(&line) {
            Ok(target) => Ok(Self { child, target }),
            Err(error) => {
                end(&mut child);
                Err(error).with_context(|| format!("not the line that was agreed: {line}"))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Sends SIGTERM to a child, and kills it after a timeout.
pub(crate) fn end(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    let asked = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if asked.elapsed() > END_LIMIT {
            drop(child.kill());
            drop(child.wait());
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
