//! A private PostgreSQL cluster, for stories that damage it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crewbell_server::cluster::{Cluster, ClusterSettings};
use crewbell_server::db::DbSettings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A private cluster in a folder of its own; removed with the story.
pub struct Own {
    pub cluster: Cluster,
    pub folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Own {
    /// Creates a cluster in a new folder.
    pub async fn start() -> Self {
        let temporary = tempfile::Builder::new().prefix("crewbell-own-").tempdir().unwrap();
        // Readable by the user that PostgreSQL runs as when the tests run as root, so that all of it is in this folder.
        std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let folder = temporary.path().to_owned();
        Self { _temporary: Some(temporary), ..Self::within(&folder).await }
    }

    /// Creates a cluster in a folder, or starts the existing one.
    pub async fn within(folder: &Path) -> Self {
        let folder = folder.join("data");
        let cluster = Cluster::start(&folder, ClusterSettings::default()).await.unwrap();
        Self { cluster, folder, _temporary: None }
    }

    /// Returns the server's settings for the cluster.
    pub fn db(&self) -> DbSettings {
        let options = |role| self.cluster.connect_options(role, "crewbell");
        DbSettings { readers: 4, ..DbSettings::new(options("crewbell_server"), options("crewbell_owner")) }
    }

    /// Returns PostgreSQL's data directory.
    pub fn pg(&self) -> PathBuf {
        std::fs::canonicalize(self.folder.join("pg")).unwrap()
    }

    /// Kills the postmaster with SIGKILL.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.pg().join("postmaster.pid")).unwrap();
        kill(Pid::from_raw(pid.lines().next().unwrap().parse().unwrap()), Signal::SIGKILL).unwrap();
    }
}
