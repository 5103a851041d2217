//! A PostgreSQL of one's own, for stories in which it comes to harm.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crewbell_server::cluster::{Cluster, Settings};
use crewbell_server::db::DbSettings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A private cluster in a folder of its own; gone with the story.
pub struct Own {
    pub cluster: Cluster,
    pub folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Own {
    /// Makes a cluster in a new folder.
    pub async fn start() -> Self {
        let temporary = tempfile::Builder::new().prefix("crewbell-own-").tempdir().unwrap();
        // Open to the user that PostgreSQL runs as when the tests run as root, so that all of it is in this folder.
        std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let folder = temporary.path().to_owned();
        Self { _temporary: Some(temporary), ..Self::within(&folder).await }
    }

    /// Makes a cluster in a folder, or starts the one that is there.
    pub async fn within(folder: &Path) -> Self {
        let folder = folder.join("data");
        let cluster = Cluster::start(&folder, Settings::default()).await.unwrap();
        Self { cluster, folder, _temporary: None }
    }

    /// How the server reaches it.
    pub fn db(&self) -> DbSettings {
        let options = |role| self.cluster.connect_options(role, "crewbell");
        DbSettings { readers: 4, ..DbSettings::new(options("crewbell_server"), options("crewbell_owner")) }
    }

    /// PostgreSQL's own folder.
    pub fn pg(&self) -> PathBuf {
        std::fs::canonicalize(self.folder.join("pg")).unwrap()
    }

    /// Kills PostgreSQL's first process with no warning.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.pg().join("postmaster.pid")).unwrap();
        kill(Pid::from_raw(pid.lines().next().unwrap().parse().unwrap()), Signal::SIGKILL).unwrap();
    }
}
