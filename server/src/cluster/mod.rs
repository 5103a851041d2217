//! The private PostgreSQL cluster in the data folder, for installations without a database server of their own.
//!
//! It is created at the first start, runs as a supervised child process, is restarted when it dies, stops with the
//! server, and is recovered after the server was killed. It listens only on a Unix socket in a folder that is private
//! to its user. The data folder holds `server.lock` (one server per folder), `pg` (the cluster, with its log in
//! `pg/log`) and `run` (the socket). This module handles processes, files, roles and the database's name, but no
//! tables.
//!
//! Settings are in `conf.rs`; the places where a distribution's PostgreSQL is found are in `find.rs`.

mod bootstrap;
mod conf;
mod error;
mod find;
mod home;
mod initdb;
mod lock;
mod log;
mod postmaster;
mod supervise;

#[cfg(test)]
mod tests;

pub(crate) use bootstrap::prepare_database;
pub use bootstrap::{DATABASE, OWNER_ROLE, SERVER_ROLE};
pub use error::ClusterError;
pub use find::{Binaries, OLDEST_MAJOR, Search};
pub use initdb::ROOT_ROLE;
pub use lock::DataDirLock;
pub(crate) use log::last_lines;

use error::At;
use home::Home;
use initdb::Found;
use nix::sys::signal::Signal;
use postmaster::{Launch, PidFile};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::path::{Path, PathBuf};
use std::time::Duration;
use supervise::Running;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The settings of the private cluster: search paths, sizes and timeouts.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// Where to look for PostgreSQL.
    pub search: Search,
    /// PostgreSQL's own page cache in MB.
    pub shared_buffers_mb: u32,
    /// The connection limit of all roles together.
    pub max_connections: u32,
    /// Timeout of a start, including crash recovery.
    pub start_deadline: Duration,
    /// Timeout of a clean stop, after which PostgreSQL is stopped uncleanly.
    pub stop_deadline: Duration,
    /// The cluster's location if root's data folder is closed to the user that PostgreSQL runs as.
    pub elsewhere: PathBuf,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            search: Search::from_environment(),
            shared_buffers_mb: 64,
            max_connections: 40,
            start_deadline: Duration::from_mins(2),
            stop_deadline: Duration::from_secs(30),
            elsewhere: PathBuf::from("/var/lib/crewbell/clusters"),
        }
    }
}

/// A running private cluster. Dropping it asks PostgreSQL to stop without waiting; [`Cluster::stop`] waits.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    socket_folder: PathBuf,
    guard: Option<Guard>,
}

/// The supervision of the cluster, held by the process that started it.
#[derive(Debug)]
struct Guard {
    running: Running,
    stop: CancellationToken,
    watcher: JoinHandle<Result<(), ClusterError>>,
    _lock: DataDirLock,
}

impl Cluster {
    /// Starts the cluster of a data folder, creating both if needed, and waits until it accepts connections.
    ///
    /// # Errors
    /// Returns a [`ClusterError`], whose message says what to do about it.
    pub async fn start(data_dir: &Path, settings: ClusterSettings) -> Result<Self, ClusterError> {
        let data_dir = home::create_private(data_dir)?;
        let lock = DataDirLock::take(&data_dir)?;
        Self::start_locked(&data_dir, lock, settings).await
    }

    /// Joins the cluster of a running server, or starts it for as long as the returned value lives.
    ///
    /// For commands beside the server, such as `admin` and `backup`.
    pub async fn attach(data_dir: &Path, settings: ClusterSettings) -> Result<Self, ClusterError> {
        let data_dir = home::create_private(data_dir)?;
        match DataDirLock::take(&data_dir) {
            Ok(lock) => Self::start_locked(&data_dir, lock, settings).await,
            Err(ClusterError::InUse { .. }) => Self::join(&data_dir, settings).await,
            Err(other) => Err(other),
        }
    }

    /// Whether a data folder holds a cluster; changes nothing.
    pub fn is_in(data_dir: &Path) -> bool {
        data_dir.join("pg").join("PG_VERSION").is_file()
    }

    /// Whether this process started the cluster, as opposed to having joined another server's.
    pub fn is_ours(&self) -> bool {
        self.guard.is_some()
    }

    /// Returns the PostgreSQL that runs it, with the matching tools.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Returns the folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// Returns the connection options for a role and a database; there are no passwords.
    pub fn connect_options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_folder)
            .port(5432)
            .username(role)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
            .application_name("crewbell-server")
    }

    /// Returns the `psql` command that connects an operator to the database.
    pub fn url_hint(&self) -> String {
        let psql = self.binaries.tool("psql");
        format!("{} -h '{}' -U {OWNER_ROLE} {DATABASE}", psql.display(), self.socket_folder.display())
    }

    /// Stops the cluster and waits for its end; a joined one keeps running.
    ///
    /// Close the pools first: open transactions are rolled back.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        let Some(mut guard) = self.guard.take() else {
            return Ok(());
        };
        guard.stop.cancel();
        match (&mut guard.watcher).await {
            Ok(done) => done,
            Err(e) => {
                tracing::error!("the database's watcher failed: {e}");
                Ok(())
            }
        }
    }

    async fn start_locked(data_dir: &Path, lock: DataDirLock, settings: ClusterSettings) -> Result<Self, ClusterError> {
        let home = Home::settle(data_dir, &settings.elsewhere)?;
        let found = initdb::look(&home)?;
        let binaries = find_off_thread(settings.search.clone(), found).await?;
        if found == Found::Nothing {
            tracing::info!("making a database in {} with PostgreSQL {}", home.pg().display(), binaries.major);
            initdb::create(&home, &binaries).await?;
        }
        let launch = Launch {
            binaries: binaries.clone(),
            home,
            start_deadline: settings.start_deadline,
            stop_deadline: settings.stop_deadline,
        };
        launch.clear_leftover().await?;
        let socket_folder = launch.home.socket_folder()?;
        launch.home.own_folder(&launch.home.pg().join("log"))?;
        conf::write(&launch.home, &launch.home.pg(), &socket_folder, &settings)?;

        let child = supervise::first_start(&launch).await?;
        let running = Running::default();
        running.set(Some(&child));
        let stop = CancellationToken::new();
        let watcher = tokio::spawn(supervise::watch(launch, child, running.clone(), stop.clone()));
        let guard = Guard { running, stop, watcher, _lock: lock };
        let cluster = Self { binaries, socket_folder, guard: Some(guard) };
        bootstrap::prepare(cluster.connect_options(ROOT_ROLE, "postgres")).await?;
        Ok(cluster)
    }

    async fn join(data_dir: &Path, settings: ClusterSettings) -> Result<Self, ClusterError> {
        let began = Instant::now();
        loop {
            let running =
                Home::existing(data_dir).ok().and_then(|home| PidFile::read(&home.pg()).map(|file| (home, file)));
            if let Some((home, file)) = running.filter(|(_, file)| file.ready) {
                let binaries = find_off_thread(settings.search, initdb::look(&home)?).await?;
                return Ok(Self { binaries, socket_folder: file.socket_folder, guard: None });
            }
            if began.elapsed() > settings.start_deadline {
                return Err(ClusterError::NotRunning(data_dir.to_owned()));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop.cancel();
        // The watcher may never run again if the runtime is ending too.
        if let Some(pid) = self.running.pid() {
            postmaster::signal_to(pid, Signal::SIGINT);
        }
    }
}

async fn find_off_thread(search: Search, found: Found) -> Result<Binaries, ClusterError> {
    let pinned = match found {
        Found::Nothing => None,
        Found::Cluster { major } => Some(major),
    };
    tokio::task::spawn_blocking(move || search.find(pinned))
        .await
        .map_err(std::io::Error::other)
        .at("cannot look for PostgreSQL in", Path::new("/"))?
}
