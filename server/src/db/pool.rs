//! Database connections: one pool for reading, another for writing; each connection sees one site at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use futures_util::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use super::DbError;
use super::health::{Disk, Unready};
use super::install;
use super::writers::{WriteConnection, Writers};

/// Configuration of the database connections.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// Connection as the server's role.
    pub server: PgConnectOptions,
    /// Connection as the role that owns the tables, for migrations only.
    pub owner: PgConnectOptions,
    /// Maximum reading connections.
    pub readers: u32,
    /// Reading connections kept open when idle.
    pub readers_kept: u32,
    /// How long a read waits for a free connection.
    pub acquire_timeout: Duration,
    /// Whether both are the same role, which must then `set role` to the server's.
    pub step_down: bool,
}

impl DbSettings {
    /// Creates settings with the default sizes, for two roles.
    pub fn new(server: PgConnectOptions, owner: PgConnectOptions) -> Self {
        let acquire_timeout = Duration::from_secs(5);
        Self { server, owner, readers: 16, readers_kept: 0, acquire_timeout, step_down: false }
    }

    /// Returns the maximum of writing connections, shared by all sites: each is held for a batch, which takes some
    /// milliseconds.
    pub fn writers(&self) -> u32 {
        writers_beside(self.readers)
    }
}

/// Returns the number of writing connections for a number of reading ones.
pub fn writers_beside(readers: u32) -> u32 {
    readers.clamp(2, 16)
}

/// Handle to the database.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
    writers: Arc<Writers>,
    disk: Arc<Disk>,
    settings: DbSettings,
}

impl Db {
    /// Creates the pools. Connections are opened on demand, except `readers_kept`, which are opened in the background.
    pub fn new(settings: DbSettings) -> Self {
        let step_down = settings.step_down;
        let pool = PgPoolOptions::new()
            .max_connections(settings.readers)
            .min_connections(settings.readers_kept.min(settings.readers))
            .acquire_timeout(settings.acquire_timeout)
            .idle_timeout(Duration::from_mins(5))
            .after_connect(move |conn, _| Box::pin(prepare(conn, step_down, READER_LIMITS)))
            .connect_lazy_with(settings.server.clone());
        let kept = settings.readers_kept.min(settings.readers);
        if kept > 0 {
            // The pool keeps connections once opened, and opens none before the first use.
            let pool = pool.clone();
            tokio::spawn(async move { drop(join_all((0..kept).map(|_| pool.acquire())).await) });
        }
        let writers = Arc::new(Writers::new(settings.writers()));
        Self { pool, writers, disk: Arc::default(), settings }
    }

    /// Opens a read-only transaction that sees one site, at one snapshot.
    pub async fn read(&self, site: SiteId) -> Result<Transaction<'static, Postgres>, DbError> {
        let mut tx = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        sqlx::query_scalar!("select set_config('crewbell.site_id', $1, true)", site.to_string())
            .fetch_one(&mut *tx)
            .await?;
        Ok(tx)
    }

    /// Opens a read-only transaction that sees only the list of sites.
    pub async fn read_sites(&self) -> Result<Transaction<'static, Postgres>, DbError> {
        Ok(self.pool.begin_with("begin read only").await?)
    }

    /// Takes a writing connection that sees one site, until it is given back. All sites share a few of them, and
    /// callers wait for a free one.
    pub async fn connect(&self, site: SiteId) -> Result<WriteConnection, DbError> {
        self.writers.take(&self.settings, site).await
    }

    /// Starts monitoring the disk of the database.
    pub fn watch_disk(&self, folder: PathBuf) {
        self.disk.watch(folder);
    }

    /// Opens a separate connection that belongs to no site, for leases and clean-up.
    pub async fn connect_bare(&self) -> Result<PgConnection, DbError> {
        let mut conn = PgConnection::connect_with(&self.settings.server).await?;
        prepare(&mut conn, self.settings.step_down, READER_LIMITS).await?;
        Ok(conn)
    }

    /// Checks that the database answers, and that its disk has room.
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

#[cfg(test)]
impl Db {
    /// Returns the options of the pool for reading.
    pub fn reading_options(&self) -> &PgPoolOptions {
        self.pool.options()
    }
}

/// Opens a writing connection that sees a site.
///
/// All of a writer's look-ups are by key. So its statements are planned once, and never as a sequential scan: a plan
/// made while a table was small would be kept until the next ANALYZE, through the burst that makes it large.
pub(super) async fn open_for_writing(settings: &DbSettings, site: SiteId) -> Result<PgConnection, DbError> {
    let mut conn = PgConnection::connect_with(&settings.server).await?;
    prepare(&mut conn, settings.step_down, WRITER_LIMITS).await?;
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan; set enable_seqscan = off").execute(&mut conn).await?;
    see(&mut conn, site).await?;
    Ok(conn)
}

/// Restricts a connection to one site.
pub(super) async fn see(conn: &mut PgConnection, site: SiteId) -> Result<(), DbError> {
    sqlx::query_scalar!("select set_config('crewbell.site_id', $1, false)", site.to_string()).fetch_one(conn).await?;
    Ok(())
}

/// Timeouts of a writing connection: for a lock held by another server or the command line, and for a statement. Both
/// are below the writer's transaction timeout, so that it learns the cause; the lock timeout is also below half of an
/// endpoint's timeout for a press, which may wait in the same batch for another lock. A transaction left behind by a
/// writer that lost power or network is ended, which releases its locks.
const WRITER_LIMITS: &str =
    "set lock_timeout = '2s'; set statement_timeout = '8s'; set idle_in_transaction_session_timeout = '20s'";

/// Timeouts of a reading connection, which locks nothing but may read much.
const READER_LIMITS: &str =
    "set lock_timeout = '5s'; set statement_timeout = '30s'; set idle_in_transaction_session_timeout = '2min'";

/// Lock timeout of migrations: a migration that waits for a table blocks everybody queued behind it, so it fails
/// instead.
const OWNER_LIMITS: &str = "set lock_timeout = '20s'";

async fn prepare(conn: &mut PgConnection, step_down: bool, limits: &'static str) -> Result<(), sqlx::Error> {
    if step_down {
        sqlx::query("set role crewbell_server").execute(&mut *conn).await?;
    }
    sqlx::raw_sql(limits).execute(&mut *conn).await?;
    Ok(())
}

/// Analyses all tables if one has never been analysed (negative `reltuples`).
const COUNT_UNCOUNTED: &str = "
do $$
declare
    ours oid[] := array(
        select oid from pg_class where relnamespace = to_regnamespace(current_schema()::text) and relkind in ('r', 'p')
        and pg_has_role(relowner, 'usage'));
    one oid;
begin
    if exists (select from pg_class where oid = any(ours) and relkind = 'r' and reltuples < 0) then
        foreach one in array ours loop
            execute format('analyze %s', one::regclass);
        end loop;
    end if;
end
$$";

/// Migrates the schema, under PostgreSQL's advisory lock so that two servers don't do it at once. Tables without
/// statistics are analysed, as after a migration or a restore, which brings rows and no statistics.
///
/// # Errors
/// Returns an error if the owner's role can't connect or lacks rights, if the database isn't UTF-8, if the server's
/// role is missing and can't be created, or if an applied migration has been changed.
pub async fn migrate(settings: &DbSettings) -> Result<(), DbError> {
    let mut owner = PgConnection::connect_with(&settings.owner).await?;
    sqlx::raw_sql(OWNER_LIMITS).execute(&mut owner).await?;
    install::check(&mut owner, settings).await?;
    sqlx::migrate!().run(&mut owner).await?;
    sqlx::raw_sql(COUNT_UNCOUNTED).execute(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
