//! The private PostgreSQL cluster in the data folder, for who has no database server of their own.
//!
//! Made at the first start, started as a child, watched, started again when it dies, stopped with the server, and
//! recovered when the server was killed. It listens on nothing but a socket in a folder that is private to its user.
//! What is in the data folder: `server.lock` (one server per folder), `pg` (the cluster; its log in `pg/log`), `run`
//! (the socket). This room knows processes, files, roles and the database's name; it knows no tables.
//!
//! Adding a setting: `conf.rs`. A distribution whose PostgreSQL isn't found: `find.rs`.

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

/// How the private cluster is found, sized and waited for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where PostgreSQL is looked for.
    pub search: Search,
    /// PostgreSQL's own page cache in MB.
    pub shared_buffers_mb: u32,
    /// Connections of all roles together.
    pub max_connections: u32,
    /// How long a start may take; the recovery after a crash is part of it.
    pub start_deadline: Duration,
    /// How long a clean stop may take before it is made unclean.
    pub stop_deadline: Duration,
    /// Where the cluster goes if root's data folder is closed to the user that PostgreSQL runs as.
    pub elsewhere: PathBuf,
}

impl Default for Settings {
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

/// A running private cluster. Dropping it asks PostgreSQL to stop and doesn't wait; [`Cluster::stop`] waits.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    socket_folder: PathBuf,
    guard: Option<Guard>,
}

/// What only the process that started the cluster has.
#[derive(Debug)]
struct Guard {
    running: Running,
    stop: CancellationToken,
    watcher: JoinHandle<Result<(), ClusterError>>,
    _lock: DataDirLock,
}

impl Cluster {
    /// Starts the cluster of a data folder, making both if needed, and waits until it accepts connections.
    ///
    /// # Errors
    /// Every [`ClusterError`] says what to do about it.
    pub async fn start(data_dir: &Path, settings: Settings) -> Result<Self, ClusterError> {
        let data_dir = home::create_private(data_dir)?;
        let lock = DataDirLock::take(&data_dir)?;
        Self::start_locked(&data_dir, lock, settings).await
    }

    /// Joins the cluster of a running server, or starts it for as long as the returned value lives.
    ///
    /// For commands beside the server, such as `admin` and `backup`.
    pub async fn attach(data_dir: &Path, settings: Settings) -> Result<Self, ClusterError> {
        let data_dir = home::create_private(data_dir)?;
        match DataDirLock::take(&data_dir) {
            Ok(lock) => Self::start_locked(&data_dir, lock, settings).await,
            Err(ClusterError::InUse { .. }) => Self::join(&data_dir, settings).await,
            Err(other) => Err(other),
        }
    }

    /// Whether a data folder holds a cluster; looks and changes nothing.
    pub fn is_in(data_dir: &Path) -> bool {
        data_dir.join("pg").join("PG_VERSION").is_file()
    }

    /// Whether this process runs the cluster, as opposed to having joined another server's.
    pub fn is_ours(&self) -> bool {
        self.guard.is_some()
    }

    /// The PostgreSQL that runs it, with the tools that fit it.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// How to connect to one of its databases as one of its roles; there are no passwords.
    pub fn connect_options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_folder)
            .port(5432)
            .username(role)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
            .application_name("crewbell-server")
    }

    /// The command with which a person looks into the database.
    pub fn url_hint(&self) -> String {
        let psql = self.binaries.tool("psql");
        format!("{} -h '{}' -U {OWNER_ROLE} {DATABASE}", psql.display(), self.socket_folder.display())
    }

    /// Stops the cluster and waits for it; a joined one is left running.
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

    async fn start_locked(data_dir: &Path, lock: DataDirLock, settings: Settings) -> Result<Self, ClusterError> {
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

    async fn join(data_dir: &Path, settings: Settings) -> Result<Self, ClusterError> {
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
