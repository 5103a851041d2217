//! Database access for commands: the private cluster, or a database of the user's own.

use anyhow::{Context, bail};
use sqlx::postgres::PgConnectOptions;

use crate::backup::BackupTarget;
use crate::cluster::{Cluster, ClusterSettings, DATABASE, OWNER_ROLE, ROOT_ROLE, SERVER_ROLE, Search};
use crate::config::{Config, Database};
use crate::db::{DbSettings, writers_beside};

/// The database settings, with the private cluster if it is the one in use.
#[derive(Debug)]
pub struct DatabaseAccess {
    cluster: Option<Cluster>,
    /// The connection settings.
    pub db: DbSettings,
    url: Option<String>,
}

/// How a command takes the private cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Starts it exclusively, as the server does.
    Own,
    /// Joins the cluster of a running server, or else starts it for the duration of the command.
    Join,
    /// As `Join`, but only if a cluster exists: a reading command creates none.
    Existing,
}

impl DatabaseAccess {
    /// Opens the database that the settings name, or starts the private cluster.
    ///
    /// # Errors
    /// Returns the error of the cluster or of the URL; each says what to do about it.
    pub async fn open(config: &Config, take: Take) -> anyhow::Result<Self> {
        let readers = config.database.pool_max.get();
        let Some(url) = &config.database.url else {
            // For the two pools, and for single connections: leases, commands beside the server, tools.
            let connections = readers + writers_beside(readers) + 24;
            let settings = ClusterSettings { max_connections: connections, ..ClusterSettings::default() };
            if take == Take::Existing && !Cluster::is_in(&config.data_dir) {
                bail!(
                    "There is no database in {}. Name the server's data folder with --data-dir, or its database with \
                     CREWBELL_DATABASE_URL.",
                    config.data_dir.display()
                );
            }
            let cluster = match take {
                Take::Own => Cluster::start(&config.data_dir, settings).await?,
                Take::Join | Take::Existing => Cluster::attach(&config.data_dir, settings).await?,
            };
            let server = cluster.connect_options(SERVER_ROLE, DATABASE);
            let owner = cluster.connect_options(OWNER_ROLE, DATABASE);
            let url = format!("postgres:///{DATABASE}?host={}&user={ROOT_ROLE}", cluster.socket_folder().display());
            let db = pooled(config, DbSettings::new(server, owner));
            return Ok(Self { cluster: Some(cluster), db, url: Some(url) });
        };
        let read = |url: &str| url.parse::<PgConnectOptions>().context("The database's URL can't be read.");
        let server = read(url.expose())?;
        let owner = match &config.database.owner_url {
            Some(owner) => read(owner.expose())?,
            None => server.clone(),
        };
        let step_down = config.database.owner_url.is_none();
        let db = DbSettings { step_down, ..pooled(config, DbSettings::new(server, owner)) };
        Ok(Self { cluster: None, db, url: None })
    }

    /// The superuser's URL of the private database, for the operator's own tools.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Returns the database as the target of a backup or restore.
    ///
    /// # Errors
    /// Returns an error if PostgreSQL's tools aren't found or the URL can't be read.
    pub fn place(&self, config: &Config) -> anyhow::Result<BackupTarget> {
        if let Some(cluster) = &self.cluster {
            return Ok(BackupTarget::private(cluster));
        }
        let url = config.database.owner_url.as_ref().or(config.database.url.as_ref());
        let url = url.context("There is no database's URL.")?;
        let binaries = Search::from_environment().find(None)?;
        Ok(BackupTarget::external(binaries, url.expose())?)
    }

    /// Releases the database and stops a cluster that this process started.
    ///
    /// # Errors
    /// Returns an error if PostgreSQL doesn't stop.
    pub async fn close(self) -> anyhow::Result<()> {
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}

/// Adds the configured pool sizes and timeouts.
fn pooled(config: &Config, db: DbSettings) -> DbSettings {
    let Database { pool_max, pool_min, acquire_timeout, .. } = &config.database;
    DbSettings { readers: pool_max.get(), readers_kept: *pool_min, acquire_timeout: *acquire_timeout, ..db }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::Db;

    #[tokio::test]
    async fn the_pool_has_the_sizes_and_the_timeout_of_the_settings() {
        for (pool_max, pool_min, acquire_timeout, timeout) in
            [(7, 3, "700ms", Duration::from_millis(700)), (1, 1, "9s", Duration::from_secs(9))]
        {
            // Connections are opened on demand, so nobody has to answer there.
            let settings = format!(
                "[database]\nurl = \"postgres://crewbell@127.0.0.1:9/crewbell\"\npool_max = {pool_max}\n\
                 pool_min = {pool_min}\nacquire_timeout = \"{acquire_timeout}\"\n"
            );
            let config: Config = toml::from_str(&settings).unwrap();
            let db = Db::new(DatabaseAccess::open(&config, Take::Own).await.unwrap().db);
            let options = db.reading_options();
            assert_eq!((options.get_max_connections(), options.get_min_connections()), (pool_max, pool_min));
            assert_eq!(options.get_acquire_timeout(), timeout);
        }
    }

    #[tokio::test]
    async fn a_backup_of_a_data_folder_that_is_not_there_is_refused_and_makes_none() {
        let folder = tempfile::tempdir().unwrap();
        for data_dir in [folder.path().join("misspelt"), folder.path().to_owned()] {
            let config = Config { data_dir: data_dir.clone(), ..Config::default() };
            let refused = DatabaseAccess::open(&config, Take::Existing).await.unwrap_err().to_string();
            assert!(refused.contains(&data_dir.display().to_string()) && refused.contains("--data-dir"), "{refused}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it looks, and makes nothing");
    }
}
