//! Connections: a pool for reading, and single ones for writers; each is opened for one site at a time.

use std::time::Duration;

use crewbell_shared::ids::SiteId;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use super::DbError;

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

/// The database, for reading; writers open their own connection.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
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
        Self { pool, settings }
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

    /// Opens a connection of one's own that sees one site for as long as it lives: a writer's.
    ///
    /// All that a writer asks is by key. So its statements are planned once, and never as a scan of a whole table: a plan
    /// that was made while a table was small would be kept until the next ANALYZE, through the storm that makes it large.
    pub async fn connect(&self, site: SiteId) -> Result<PgConnection, DbError> {
        let mut conn = PgConnection::connect_with(&self.settings.server).await?;
        prepare(&mut conn, self.settings.step_down).await?;
        sqlx::raw_sql("set plan_cache_mode = force_generic_plan; set enable_seqscan = off").execute(&mut conn).await?;
        sqlx::query_scalar!("select set_config('crewbell.site_id', $1, false)", site.to_string())
            .fetch_one(&mut conn)
            .await?;
        Ok(conn)
    }

    /// Opens a connection of one's own that belongs to no site: for leases.
    pub async fn connect_bare(&self) -> Result<PgConnection, DbError> {
        let mut conn = PgConnection::connect_with(&self.settings.server).await?;
        prepare(&mut conn, self.settings.step_down).await?;
        Ok(conn)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        let mut conn = self.pool.acquire().await?;
        conn.ping().await?;
        Ok(())
    }

    /// Closes the pool.
    pub async fn close(&self) {
        self.pool.close().await;
    }
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
/// The owner's role can't connect or may not create, or a migration that was applied has been changed since.
pub async fn migrate(settings: &DbSettings) -> Result<(), DbError> {
    let mut owner = PgConnection::connect_with(&settings.owner).await?;
    sqlx::migrate!().run(&mut owner).await?;
    owner.close().await?;
    Ok(())
}
