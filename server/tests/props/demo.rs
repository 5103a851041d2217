//! `crewbell-server demo`, running, and its data folder.

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

/// The longest that a start may take: a database is made, a week of history is loaded.
pub const START: Duration = Duration::from_mins(2);
/// The longest that a stop may take.
const STOP: Duration = Duration::from_secs(30);

/// The server's program.
pub fn program(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crewbell-server"));
    // Of all that the caller may have set, nothing is to show.
    command.args(args).env_remove("CREWBELL_CONFIG").env("CREWBELL_LOG_FORMAT", "json").kill_on_drop(true);
    command
}

/// A data folder; when the test fails, PostgreSQL is not left behind.
pub struct Folder(pub tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("crewbell-demo-").tempdir().unwrap();
        // Open to the user that PostgreSQL runs as when the tests run as root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// The processes that work in PostgreSQL's folder: its first one and all its children.
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

/// `crewbell-server demo --headless --json`, running.
pub struct Demo {
    pub child: Child,
    /// What it says when it is ready.
    pub ready: Value,
    /// What it prints after that.
    more: JoinHandle<Option<String>>,
}

impl Demo {
    /// Starts it on a folder; `mqtt` is where buttons are to knock.
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

    /// SIGTERM; it ends with 0 in time, and has said nothing more.
    pub async fn stop(self) {
        stop(self.child).await;
        assert_eq!(self.more.await.unwrap(), None, "one line is all that it prints");
    }
}

/// SIGTERM; it ends with 0 in time.
pub async fn stop(mut child: Child) {
    kill(Pid::from_raw(child.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let status = timeout(STOP, child.wait()).await.unwrap_or_else(|_| panic!("it stops within {STOP:?}")).unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}
