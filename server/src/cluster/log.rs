//! The cluster's log files, in `pg/log`.

use super::error::{At, ClusterError};
use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The number of rotated files kept: at 10 MB each, the log stays below 100 MB.
const KEPT_FILES: usize = 8;

/// Opens `start.log`, which receives PostgreSQL's output before its log collector runs.
pub(crate) fn start_log(pg: &Path) -> Result<File, ClusterError> {
    let path = pg.join("log").join("start.log");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&path)
        .at("cannot open", &path)
}

/// Returns the last lines of `start.log` and of the newest log file.
pub(crate) fn tail(pg: &Path) -> String {
    let mut files = vec![pg.join("log").join("start.log")];
    files.extend(rotated(pg).pop());
    let texts = files.iter().filter_map(|path| end_of(path)).collect::<Vec<_>>();
    last_lines(&texts.concat(), 12)
}

/// Deletes all but the newest rotated files.
pub(crate) fn prune(pg: &Path) {
    let files = rotated(pg);
    for old in files.iter().take(files.len().saturating_sub(KEPT_FILES)) {
        if let Err(e) = std::fs::remove_file(old) {
            tracing::warn!("cannot remove the old log {}: {e}", old.display());
        }
    }
}

/// Returns the last `count` lines of a text, without empty ones.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Lists the rotated files, oldest first: their names sort by time.
fn rotated(pg: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(pg.join("log"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(|name| name.starts_with("postgresql-")))
        .collect();
    files.sort();
    files
}

fn end_of(path: &Path) -> Option<String> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(4096))).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    Some(String::from_utf8_lossy(&end).into_owned())
}
