//! The life cycle of PostgreSQL's main process (the postmaster): start, readiness, shutdown, and the removal of one
//! that a killed server left behind.

use super::error::{At, ClusterError};
use super::find::Binaries;
use super::home::Home;
use super::log;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// The polling interval for states that show only in a file; one read takes some microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long to wait for the remains of a killed PostgreSQL to disappear.
pub(crate) const REMAINS_DEADLINE: Duration = Duration::from_secs(30);

/// Everything needed to start the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) binaries: Binaries,
    pub(crate) home: Home,
    pub(crate) start_deadline: Duration,
    pub(crate) stop_deadline: Duration,
}

impl Launch {
    /// Starts `postgres` as a child in a process group of its own: Ctrl-C in the terminal reaches only the server,
    /// which stops PostgreSQL after the last transaction.
    pub(crate) fn spawn(&self) -> Result<Child, ClusterError> {
        let pg = self.home.pg();
        let words = log::start_log(&pg)?;
        let more = words.try_clone().at("cannot open the log in", &pg)?;
        let postgres = self.binaries.tool("postgres");
        as_user(&postgres, &self.home, &self.binaries)
            .arg("-D")
            .arg(&pg)
            .stdin(Stdio::null())
            .stdout(words)
            .stderr(more)
            .process_group(0)
            .spawn()
            .at("cannot run", &postgres)
    }

    /// Waits until the cluster accepts connections, including crash recovery.
    pub(crate) async fn wait_until_ready(&self, child: &mut Child) -> Result<(), ClusterError> {
        let pg = self.home.pg();
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().at("cannot watch the database in", &pg)? {
                return Err(ClusterError::Start { why: status.to_string(), log: log::tail(&pg) });
            }
            if PidFile::read(&pg).is_some_and(|file| Some(file.pid) == pid && file.ready) {
                return Ok(());
            }
            if began.elapsed() > self.start_deadline {
                let why = format!("not ready after {} s", self.start_deadline.as_secs());
                return Err(ClusterError::Start { why, log: log::tail(&pg) });
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Stops the child with escalating signals: "fast" first (open transactions are rolled back, a checkpoint is
    /// written), then "immediate" (crash recovery at the next start), then SIGKILL.
    pub(crate) async fn shut_down(&self, child: &mut Child) -> Result<(), ClusterError> {
        let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) else {
            return Ok(());
        };
        for (signal, patience) in self.signals() {
            signal_to(pid, signal);
            if timeout(patience, child.wait()).await.is_ok() {
                return Ok(());
            }
            tracing::warn!("the database (process {pid}) did not stop within {} s of {signal}", patience.as_secs());
        }
        Err(ClusterError::WontStop(pid))
    }

    /// Stops the postmaster that a killed server left running on this data folder, if there is one.
    ///
    /// It is stopped and not taken over, so that the running one is always a child of this process with the current
    /// settings.
    pub(crate) async fn clear_leftover(&self) -> Result<(), ClusterError> {
        let pg = self.home.pg();
        if let Some(PidFile { pid, .. }) = PidFile::read(&pg)
            && is_postmaster_of(pid, &pg)
        {
            self.stop_leftover(pid, &pg).await?;
        }
        for path in self.lock_files()? {
            self.clear_lock(&path, &pg).await?;
        }
        Ok(())
    }

    /// Returns PostgreSQL's lock files: the cluster's and its socket's.
    fn lock_files(&self) -> Result<[PathBuf; 2], ClusterError> {
        let socket = self.home.socket_folder()?.join(".s.PGSQL.5432.lock");
        Ok([self.home.pg().join("postmaster.pid"), socket])
    }

    /// Removes a lock file whose process is another program or a zombie. PostgreSQL would take the process for its own
    /// and refuse to start: common in containers, where process ids start again at 1 and zombies may not be reaped.
    ///
    /// Waits while any process still works in the cluster: the backends of a killed postmaster take some milliseconds
    /// to notice, and a new one detects them by this file.
    async fn clear_lock(&self, path: &Path, pg: &Path) -> Result<(), ClusterError> {
        let first_line = std::fs::read_to_string(path).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
        let Some(pid) = first_line.filter(|pid: &i32| *pid > 0 && is_alive(*pid)) else { return Ok(()) };
        let began = Instant::now();
        while someone_works_in(pg) {
            if began.elapsed() > REMAINS_DEADLINE {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        tracing::info!("{} names process {pid}, which is no database of ours any more: removing it", path.display());
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).at("cannot remove", path),
            _ => Ok(()),
        }
    }

    async fn stop_leftover(&self, pid: i32, pg: &Path) -> Result<(), ClusterError> {
        tracing::info!("stopping the database (process {pid}) that an earlier server left running");
        for (signal, patience) in self.signals() {
            signal_to(pid, signal);
            let began = Instant::now();
            while began.elapsed() < patience {
                if !is_postmaster_of(pid, pg) {
                    return Ok(());
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Err(ClusterError::WontStop(pid))
    }

    fn signals(&self) -> [(Signal, Duration); 3] {
        let short = Duration::from_secs(5);
        [(Signal::SIGINT, self.stop_deadline), (Signal::SIGQUIT, short), (Signal::SIGKILL, short)]
    }
}

/// The content of `postmaster.pid`: process id in line 1, socket folder in line 5, state in line 8 (PostgreSQL,
/// `miscadmin.h`, `LOCK_FILE_LINE_…`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) socket_folder: PathBuf,
    pub(crate) ready: bool,
}

impl PidFile {
    /// Reads the file; `None` if it is missing or incomplete.
    pub(crate) fn read(pg: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(pg.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let pid = lines.first()?.parse().ok().filter(|pid| *pid > 0)?;
        let socket_folder = PathBuf::from(lines.get(4).copied().unwrap_or_default());
        Some(Self { pid, socket_folder, ready: lines.get(7).is_some_and(|state| *state == "ready") })
    }
}

/// Builds a command that runs as the cluster's user, without this process's environment.
pub(crate) fn as_user(program: &Path, home: &Home, binaries: &Binaries) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir(&home.folder);
    let paths = [binaries.dir.as_path(), Path::new("/usr/bin"), Path::new("/bin")];
    if let Ok(path) = std::env::join_paths(paths) {
        command.env("PATH", path);
    }
    if let Some(user) = &home.run_as {
        // The standard library also drops the supplementary groups when root changes the user.
        command.gid(user.gid).uid(user.uid);
    }
    command
}

/// Sends a signal; a process that has already ended is no error.
pub(crate) fn signal_to(pid: i32, signal: Signal) {
    if let Err(e) = kill(Pid::from_raw(pid), signal)
        && e != Errno::ESRCH
    {
        tracing::warn!("cannot send {signal} to process {pid}: {e}");
    }
}

/// Whether a process of that id exists, of any user.
fn is_alive(pid: i32) -> bool {
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

/// Whether that process is the postmaster of this cluster: a postmaster works in its data folder.
#[cfg(target_os = "linux")]
fn is_postmaster_of(pid: i32, pg: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| Some(cwd) == pg.canonicalize().ok())
}

/// Whether any process works in this cluster's folder, as a postmaster and its backends do.
#[cfg(target_os = "linux")]
fn someone_works_in(pg: &Path) -> bool {
    let Ok(pg) = pg.canonicalize() else { return false };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok()).any(|cwd| cwd == pg)
}

/// Always false: without `/proc`, the check is left to PostgreSQL itself.
#[cfg(not(target_os = "linux"))]
fn someone_works_in(_: &Path) -> bool {
    false
}

/// Whether that process looks like the postmaster of this cluster, judging by its command line.
#[cfg(not(target_os = "linux"))]
fn is_postmaster_of(pid: i32, pg: &Path) -> bool {
    let out = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    out.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains(&*pg.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_tells_ready_from_starting() {
        let text = "4711\n/data/pg\n1700000000\n5432\n/data/run\n\n  123  0\nstarting\n";
        let starting = PidFile::parse(text).unwrap();
        assert_eq!((starting.pid, starting.ready), (4711, false));
        assert_eq!(starting.socket_folder, Path::new("/data/run"));
        assert!(PidFile::parse(&text.replace("starting", "ready   ")).unwrap().ready);
    }

    #[test]
    fn a_half_written_pid_file_is_no_pid_file() {
        for text in ["", "\n", "-4711\n", "abc\n"] {
            assert_eq!(PidFile::parse(text), None, "{text:?}");
        }
        assert!(!PidFile::parse("4711\n").unwrap().ready);
    }
}
