//! Connections: a pool for reading, another for writing; each sees one site at a time.

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

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// As the server's role.
    pub server: PgConnectOptions,
    /// As the role that owns the tables, for migrations only.
    pub owner: PgConnectOptions,
    /// Reading connections at most.
    pub readers: u32,
    /// Reading connections that stay open when nothing happens.
    pub readers_kept: u32,
    /// How long a question waits for a free connection.
    pub acquire_timeout: Duration,
    /// Whether both are the same role, which must then step down to the server's by itself.
    pub step_down: bool,
}

impl DbSettings {
    /// A pool of the usual size, as two roles.
    pub fn new(server: PgConnectOptions, owner: PgConnectOptions) -> Self {
        let acquire_timeout = Duration::from_secs(5);
        Self { server, owner, readers: 16, readers_kept: 0, acquire_timeout, step_down: false }
    }

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
            .min_connections(settings.readers_kept.min(settings.readers))
            .acquire_timeout(settings.acquire_timeout)
            .idle_timeout(Duration::from_mins(5))
            .after_connect(move |conn, _| Box::pin(prepare(conn, step_down, READER_LIMITS)))
            .connect_lazy_with(settings.server.clone());
        let kept = settings.readers_kept.min(settings.readers);
        if kept > 0 {
            // The pool by itself keeps what was opened once, and opens none before it is asked.
            let pool = pool.clone();
            tokio::spawn(async move { drop(join_all((0..kept).map(|_| pool.acquire())).await) });
        }
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
        prepare(&mut conn, self.settings.step_down, READER_LIMITS).await?;
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
    prepare(&mut conn, settings.step_down, WRITER_LIMITS).await?;
    sqlx::raw_sql("set plan_cache_mode = force_generic_plan; set enable_seqscan = off").execute(&mut conn).await?;
    see(&mut conn, site).await?;
    Ok(conn)
}

/// Has a connection see a site from now on, and no other.
pub(super) async fn see(conn: &mut PgConnection, site: SiteId) -> Result<(), DbError> {
    sqlx::query_scalar!("select set_config('crewbell.site_id', $1, false)", site.to_string()).fetch_one(conn).await?;
    Ok(())
}

/// What a writer waits for at most: a lock that another server or the command line has, and a statement. Both are less
/// than its patience with a transaction, so that it learns why; the lock is also less than half of a door's patience with a
/// press, which may wait in the same batch for something else. A transaction that it left behind (its machine lost power, or
/// its network) is ended, and with it its locks.
const WRITER_LIMITS: &str =
    "set lock_timeout = '2s'; set statement_timeout = '8s'; set idle_in_transaction_session_timeout = '20s'";

/// The same for reading, which locks nothing but may read much.
const READER_LIMITS: &str =
    "set lock_timeout = '5s'; set statement_timeout = '30s'; set idle_in_transaction_session_timeout = '2min'";

/// A migration that has to wait for a table makes everybody wait who comes after it: rather it fails, and says so.
const OWNER_LIMITS: &str = "set lock_timeout = '20s'";

async fn prepare(conn: &mut PgConnection, step_down: bool, limits: &'static str) -> Result<(), sqlx::Error> {
    if step_down {
        sqlx::query("set role crewbell_server").execute(&mut *conn).await?;
    }
    sqlx::raw_sql(limits).execute(&mut *conn).await?;
    Ok(())
}

/// Has every table counted when there is one that never was (`reltuples` less than none).
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

/// Brings the schema up to date, under PostgreSQL's advisory lock so that two servers don't do it at once; and has tables
/// counted that never were, as after a migration or a restore, which brings rows and no statistics.
///
/// # Errors
/// The owner's role can't connect or may not create, the database isn't UTF-8, the server's role is missing and can't be
/// made, or a migration that was applied has been changed since.
pub async fn migrate(settings: &DbSettings) -> Result<(), DbError> {
    let mut owner = PgConnection::connect_with(&settings.owner).await?;
    sqlx::raw_sql(OWNER_LIMITS).execute(&mut owner).await?;
    install::check(&mut owner, settings).await?;
    sqlx::migrate!().run(&mut owner).await?;
    sqlx::raw_sql(COUNT_UNCOUNTED).execute(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
