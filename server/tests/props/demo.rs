//! A running `crewbell-server demo`, and its data folder.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Time limit of a start: it creates a database and loads a week of history.
pub const START: Duration = Duration::from_mins(2);
/// Time limit of a stop.
const STOP: Duration = Duration::from_secs(30);

/// Creates a command for the server's program.
pub fn program(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crewbell-server"));
    // The caller's environment must not show.
    command.args(args).env_remove("CREWBELL_CONFIG").env("CREWBELL_LOG_FORMAT", "json").kill_on_drop(true);
    command
}

/// A data folder whose PostgreSQL is ended on drop, also when the test fails.
pub struct Folder(pub tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("crewbell-demo-").tempdir().unwrap();
        // Readable by the user that PostgreSQL runs as when the tests run as root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Returns the processes whose working directory is PostgreSQL's folder: the postmaster and its children.
    pub fn postgres(&self) -> Vec<i32> {
        let Ok(pg) = std::fs::canonicalize(self.data().join("pg")) else { return Vec::new() };
        let works_there = |pid: &i32| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == pg);
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(works_there).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for pid in self.postgres() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// A running `crewbell-server demo --headless --json`.
pub struct Demo {
    pub child: Child,
    /// The ready line.
    pub ready: Value,
    /// The next output line, if there is one.
    more: JoinHandle<Option<String>>,
}

impl Demo {
    /// Starts the demo on a folder; `mqtt` is the listening address for buttons.
    pub async fn start(data: &Path, mqtt: &str) -> Self {
        let args = ["demo", "--headless", "--json", "--http", "127.0.0.1:0", "--mqtt", mqtt, "--data-dir"];
        let mut program = program(args);
        program.arg(data).env("CREWBELL_LOG_LEVEL", "off").stdout(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(START, lines.next_line()).await.expect("it is ready in time").unwrap();
        let ready = serde_json::from_str(&line.expect("it says that it is ready")).unwrap();
        let more = tokio::spawn(async move { lines.next_line().await.unwrap() });
        Self { child, ready, more }
    }

    /// Sends SIGTERM, and checks that the process exits with 0 in time and has printed nothing more.
    pub async fn stop(self) {
        stop(self.child).await;
        assert_eq!(self.more.await.unwrap(), None, "one line is all that it prints");
    }
}

/// Sends SIGTERM, and checks that the process exits with 0 in time.
pub async fn stop(mut child: Child) {
    kill(Pid::from_raw(child.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let status = timeout(STOP, child.wait()).await.unwrap_or_else(|_| panic!("it stops within {STOP:?}")).unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}
