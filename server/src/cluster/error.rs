//! What can go wrong with the private cluster, said so that the person at the terminal can act.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private cluster can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL that would do is installed.
    #[error("{0}")]
    NotInstalled(String),
    /// Another process holds the data folder.
    #[error(
        "{} is in use by another crewbell-server (process {holder}); \
         stop that one first, or give this one a data folder of its own with --data-dir",
        data_dir.display()
    )]
    InUse {
        /// The folder that both want.
        data_dir: PathBuf,
        /// The process id that the holder wrote down, or "unknown".
        holder: String,
    },
    /// The cluster's user can't walk to the cluster.
    #[error(
        "the database in {} must run as the user {user}, who may not pass through {}; \
         allow it with `chmod o+x {}`, or choose another data folder",
        cluster.display(), blocked_by.display(), blocked_by.display()
    )]
    Unreachable {
        /// Where the cluster is.
        cluster: PathBuf,
        /// The unprivileged user that PostgreSQL runs as.
        user: String,
        /// The first folder on the way that user may not enter.
        blocked_by: PathBuf,
    },
    /// Root, and nobody to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`; \
         start crewbell-server as an ordinary user"
    )]
    NoUser,
    /// The cluster was made by someone else.
    #[error(
        "the database in {} belongs to the user {owner}; start crewbell-server as {owner} or as root",
        cluster.display()
    )]
    ForeignOwner {
        /// Where the cluster is.
        cluster: PathBuf,
        /// Its owner's name, or user id.
        owner: String,
    },
    /// Something that is not a cluster stands where the cluster belongs.
    #[error(
        "{} is not a PostgreSQL cluster ({why}); move it away and start again, \
         then load the last backup with `crewbell-server restore`",
        .path.display()
    )]
    NotACluster {
        /// The path in the way.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A socket folder that others may write to, or that belongs to someone else.
    #[error(
        "{} was made by someone else; remove it, or choose a data folder with a shorter path \
         so that the socket fits inside it",
        .0.display()
    )]
    UnsafeSocketFolder(PathBuf),
    /// `initdb` failed.
    #[error("the database could not be created: initdb said:\n{0}")]
    Init(String),
    /// `postgres` ended, or was not ready in time.
    #[error("the database did not start ({why}); its last words:\n{log}")]
    Start {
        /// How it ended.
        why: String,
        /// The last lines of its log.
        log: String,
    },
    /// A postmaster that ignores every signal.
    #[error("the database (process {0}) did not stop when asked to")]
    WontStop(i32),
    /// The cluster of a running server can't be found.
    #[error("the server that holds {} has no running database (yet)", .0.display())]
    NotRunning(PathBuf),
    /// Roles or the database could not be made.
    #[error("the database runs but could not be prepared: {0}")]
    Prepare(#[from] sqlx::Error),
    /// The file system said no.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What was tried, such as "cannot create".
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Names the path in an I/O error, which the standard library doesn't.
pub(crate) trait At<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, ClusterError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, ClusterError> {
        self.map_err(|source| ClusterError::Io { what, path: path.to_owned(), source })
    }
}
