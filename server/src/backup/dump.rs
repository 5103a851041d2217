//! Writing of a backup to a file.

use super::restore::is_empty;
use super::target::run;
use super::{BackupError, BackupTarget};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes the whole database to `file` in `pg_dump`'s custom format, as of one moment; the server keeps running.
///
/// `file` appears, and replaces an older one of that name, only when it is complete and synced to disk.
///
/// # Errors
/// Returns an error with the last lines of `pg_dump`; the partial file is removed. Returns [`BackupError::Empty`] for
/// an empty database: a backup of the wrong database would only be noticed when it is needed.
pub async fn backup(place: &BackupTarget, file: &Path) -> Result<(), BackupError> {
    if is_empty(place).await? {
        return Err(BackupError::Empty(place.database().to_owned()));
    }
    let part = part_of(file);
    let written = write(place, &part).await;
    if written.is_err() {
        // The error of the backup is more useful than one of the clean-up.
        let _ = std::fs::remove_file(&part);
    }
    written?;
    std::fs::rename(&part, file).map_err(BackupError::io("cannot rename", &part))?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(BackupError::io("cannot write", folder))
}

async fn write(place: &BackupTarget, part: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(part) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(BackupError::io("cannot remove", part)(e));
        }
        _ => {}
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)
        .map_err(BackupError::io("cannot create", part))?;
    let mut command = place.connected("pg_dump", place.database());
    command.arg("--format=custom").arg("--file").arg(part);
    run("pg_dump", command).await?;
    file.sync_all().map_err(BackupError::io("cannot write", part))
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
