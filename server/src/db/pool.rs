//! Connections: a pool for reading, another for writing; each sees one site at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use super::DbError;
use super::health::{Disk, Unready};
use super::install;
use super::writers::{WriteConnection, Writers};

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// As the server's role.
    pub server: PgConnectOptions,
    /// As the role that owns the tables, for migrations only.
    pub owner: PgConnectOptions,
    /// Reading connections at most.
    pub readers: u32,
    /// Whether both are the same role, which must then step down to the server's by itself.
    pub step_down: bool,
}

impl DbSettings {
    /// Writing connections at most, of all sites together: each is held for a batch, which takes some milliseconds.
    pub fn writers(&self) -> u32 {
        writers_beside(self.readers)
    }
}

/// How many writing connections a server has beside so many for reading.
pub fn writers_beside(readers: u32) -> u32 {
    readers.clamp(2, 16)
}

/// The database.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
    writers: Arc<Writers>,
    disk: Arc<Disk>,
    settings: DbSettings,
}

impl Db {
    /// Prepares the pool; connects when something is asked.
    pub fn new(settings: DbSettings) -> Self {
        let step_down = settings.step_down;
        let pool = PgPoolOptions::new()
            .max_connections(settings.readers)
            .acquire_timeout(Duration::from_secs(3))
            .idle_timeout(Duration::from_mins(5))
            .after_connect(move |conn, _| Box::pin(prepare(conn, step_down)))
            .connect_lazy_with(settings.server.clone());
        let writers = Arc::new(Writers::new(settings.writers()));
        Self { pool, writers, disk: Arc::default(), settings }
    }

    /// Opens a reading transaction that sees one site, as of one moment.
    pub async fn read(&self, site: SiteId) -> Result<Transaction<'static, Postgres>, DbError> {
        let mut tx = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        sqlx::query_scalar!("select set_config('crewbell.site_id', $1, true)", site.to_string())
            .fetch_one(&mut *tx)
            .await?;
        Ok(tx)
    }

    /// Opens a transaction that sees no site: the list of sites, and nothing else.
    pub async fn read_sites(&self) -> Result<Transaction<'static, Postgres>, DbError> {
        Ok(self.pool.begin_with("begin read only").await?)
    }

    /// A connection for writing that sees one site, until it is given back. All sites together have few of them, and
    /// each waits for its turn.
    pub async fn connect(&self, site: SiteId) -> Result<WriteConnection, DbError> {
        self.writers.take(&self.settings, site).await
    }

    /// Has the disk watched on which the database is.
    pub fn watch_disk(&self, folder: PathBuf) {
        self.disk.watch(folder);
    }

    /// Opens a connection of one's own that belongs to no site: for leases.
    pub async fn connect_bare(&self) -> Result<PgConnection, DbError> {
        let mut conn = PgConnection::connect_with(&self.settings.server).await?;
        prepare(&mut conn, self.settings.step_down).await?;
        Ok(conn)
    }

    /// Whether the database answers, and its disk has room.
    pub async fn ready(&self) -> Result<(), Unready> {
        let answer = async { self.pool.acquire().await?.ping().await };
        answer.await.map_err(|_| Unready::Away)?;
        if self.disk.is_full() { Err(Unready::DiskFull) } else { Ok(()) }
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.writers.close();
        self.pool.close().await;
    }
}

/// Opens a connection for writing that sees a site.
///
/// All that a writer asks is by key. So its statements are planned once, and never as a scan of a whole table: a plan
/// that was made while a table was small would be kept until the next ANALYZE, through the storm that makes it large.
pub(super) async fn open_for_writing(settings: &DbSettings, site: SiteId) -> Result<PgConnection, DbError> {
    let mut conn = PgConnection::connect_with(&settings.server).await?;
    prepare(&mut conn, settings.step_down).await?;
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan; set enable_seqscan = off").execute(&mut conn).await?;
    see(&mut conn, site).await?;
    Ok(conn)
}

/// Has a connection see a site from now on, and no other.
pub(super) async fn see(conn: &mut PgConnection, site: SiteId) -> Result<(), DbError> {
    sqlx::query_scalar!("select set_config('crewbell.site_id', $1, false)", site.to_string()).fetch_one(conn).await?;
    Ok(())
}

async fn prepare(conn: &mut PgConnection, step_down: bool) -> Result<(), sqlx::Error> {
    if step_down {
        sqlx::query("set role crewbell_server").execute(&mut *conn).await?;
    }
    Ok(())
}

/// Brings the schema up to date, under PostgreSQL's advisory lock so that two servers don't do it at once.
///
/// # Errors
/// The owner's role can't connect or may not create, the database isn't UTF-8, the server's role is missing and can't be
/// made, or a migration that was applied has been changed since.
pub async fn migrate(settings: &DbSettings) -> Result<(), DbError> {
    let mut owner = PgConnection::connect_with(&settings.owner).await?;
    install::check(&mut owner, settings).await?;
    sqlx::migrate!().run(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
