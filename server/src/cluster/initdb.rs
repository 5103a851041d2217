//! Creation of the cluster at the first start.
//!
//! `initdb` writes to `pg.new-…`, which is renamed to `pg` when complete, so that an interrupted first start leaves
//! nothing that could be mistaken for a cluster.

use super::conf;
use super::error::{At, ClusterError};
use super::find::Binaries;
use super::home::Home;
use super::postmaster::as_user;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// The superuser of the private cluster, used only to prepare it, to back it up and to restore it.
pub const ROOT_ROLE: &str = "crewbell_root";

/// The content of the cluster's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Cluster { major: u32 },
}

/// Checks whether there is a cluster, and of which major version.
pub(crate) fn look(home: &Home) -> Result<Found, ClusterError> {
    let path = home.pg();
    let empty = match std::fs::read_dir(&path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(e) => return Err(e).at("cannot read", &path),
    };
    if empty {
        std::fs::remove_dir(&path).at("cannot remove", &path)?;
        return Ok(Found::Nothing);
    }
    let version = std::fs::read_to_string(path.join("PG_VERSION"))
        .map_err(|_| ClusterError::NotACluster { path: path.clone(), why: "PG_VERSION is missing" })?;
    match version.trim().parse() {
        Ok(major) => Ok(Found::Cluster { major }),
        Err(_) => Err(ClusterError::NotACluster { path, why: "PG_VERSION holds no major version" }),
    }
}

/// Creates the cluster, which takes one to three seconds.
pub(crate) async fn create(home: &Home, binaries: &Binaries) -> Result<(), ClusterError> {
    remove_halves(home)?;
    let half = home.folder.join(format!("pg.new-{}", std::process::id()));
    if let Err(first) = initdb(home, binaries, &half, "C.UTF-8").await {
        // macOS before 15 and musl lack C.UTF-8; plain C has the same sort order.
        tracing::debug!("initdb with C.UTF-8 failed, trying C: {first}");
        remove_halves(home)?;
        initdb(home, binaries, &half, "C").await?;
    }
    let main = half.join("postgresql.conf");
    let mut file = OpenOptions::new().append(true).open(&main).at("cannot open", &main)?;
    file.write_all(conf::INCLUDE.as_bytes()).at("cannot write", &main)?;
    file.sync_all().at("cannot write", &main)?;
    // Opened by `wait_until_ready` as `start.log`, and by PostgreSQL's own collector.
    home.own_folder(&half.join("log"))?;
    std::fs::rename(&half, home.pg()).at("cannot rename", &half)?;
    File::open(&home.folder).and_then(|folder| folder.sync_all()).at("cannot write", &home.folder)
}

async fn initdb(home: &Home, binaries: &Binaries, half: &Path, locale: &str) -> Result<(), ClusterError> {
    home.own_folder(half)?;
    let out = as_user(&binaries.tool("initdb"), home, binaries)
        .arg("--pgdata")
        .arg(half)
        .args(["--username", ROOT_ROLE, "--encoding=UTF8", "--data-checksums", "--no-instructions"])
        .args(["--auth-local=trust", "--auth-host=reject"])
        .arg(format!("--locale={locale}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .at("cannot run", &binaries.tool("initdb"))?;
    if out.status.success() {
        return Ok(());
    }
    Err(ClusterError::Init(super::log::last_lines(&String::from_utf8_lossy(&out.stderr), 10)))
}

/// Removes the remains of interrupted first starts.
fn remove_halves(home: &Home) -> Result<(), ClusterError> {
    for entry in std::fs::read_dir(&home.folder).at("cannot read", &home.folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("pg.new") {
            tracing::info!("removing {}, left by a first start that was interrupted", entry.path().display());
            std::fs::remove_dir_all(entry.path()).at("cannot remove", &entry.path())?;
        }
    }
    Ok(())
}
