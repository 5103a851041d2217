//! Errors of the private cluster, with messages that say what to do.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the private cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No suitable PostgreSQL is installed.
    #[error("{0}")]
    NotInstalled(String),
    /// Another process has locked the data folder.
    #[error(
        "{} is in use by another crewbell-server (process {holder}); \
         stop that one first, or give this one a data folder of its own with --data-dir",
        data_dir.display()
    )]
    InUse {
        /// The data folder.
        data_dir: PathBuf,
        /// The process id in the lock file, or "unknown".
        holder: String,
    },
    /// The cluster's user can't enter a folder on the path to the cluster.
    #[error(
        "the database in {} must run as the user {user}, who may not pass through {}; \
         allow it with `chmod o+x {}`, or choose another data folder",
        cluster.display(), blocked_by.display(), blocked_by.display()
    )]
    Unreachable {
        /// The cluster's folder.
        cluster: PathBuf,
        /// The unprivileged user that PostgreSQL runs as.
        user: String,
        /// The first folder on the path that the user may not enter.
        blocked_by: PathBuf,
    },
    /// The server runs as root, and no unprivileged user exists to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`; \
         start crewbell-server as an ordinary user"
    )]
    NoUser,
    /// The cluster belongs to another user.
    #[error(
        "the database in {} belongs to the user {owner}; start crewbell-server as {owner} or as root",
        cluster.display()
    )]
    ForeignOwner {
        /// The cluster's folder.
        cluster: PathBuf,
        /// Its owner's name, or user id.
        owner: String,
    },
    /// The cluster's path holds something that is not a cluster.
    #[error(
        "{} is not a PostgreSQL cluster ({why}); move it away and start again, \
         then load the last backup with `crewbell-server restore`",
        .path.display()
    )]
    NotACluster {
        /// The path.
        path: PathBuf,
        /// The reason why it is not a cluster.
        why: &'static str,
    },
    /// The socket folder is not a folder, or belongs to another user.
    #[error(
        "{} was made by someone else; remove it, or choose a data folder with a shorter path \
         so that the socket fits inside it",
        .0.display()
    )]
    UnsafeSocketFolder(PathBuf),
    /// `initdb` failed.
    #[error("the database could not be created: initdb said:\n{0}")]
    Init(String),
    /// `postgres` ended or was not ready in time.
    #[error("the database did not start ({why}); its last words:\n{log}")]
    Start {
        /// The exit status, or the timeout.
        why: String,
        /// The last lines of its log.
        log: String,
    },
    /// A postmaster ignored every signal.
    #[error("the database (process {0}) did not stop when asked to")]
    WontStop(i32),
    /// The cluster of a running server can't be found.
    #[error("the server that holds {} has no running database (yet)", .0.display())]
    NotRunning(PathBuf),
    /// The roles or the database could not be created.
    #[error("the database runs but could not be prepared: {0}")]
    Prepare(#[from] sqlx::Error),
    /// A file system operation failed.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// The failed operation, such as "cannot create".
        what: &'static str,
        /// The path it was on.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Adds the path to an I/O error, which the standard library omits.
pub(crate) trait At<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, ClusterError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, ClusterError> {
        self.map_err(|source| ClusterError::Io { what, path: path.to_owned(), source })
    }
}
