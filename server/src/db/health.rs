//! Readiness of the database for writes, as far as it shows from outside.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Minimum free bytes on the disk of the private cluster: two segments of its write-ahead log, and a little.
const LEAST_FREE: u64 = 40 * 1024 * 1024;

/// The reason why the server can't take a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unready {
    /// The database doesn't answer.
    Away,
    /// The disk of the private cluster is full, or nearly.
    DiskFull,
}

impl Unready {
    /// Returns a line of text for monitoring.
    pub fn why(self) -> &'static str {
        match self {
            Self::Away => "the database is away\n",
            Self::DiskFull => "the disk of the database is full\n",
        }
    }
}

/// The disk of the private cluster, if it is monitored.
#[derive(Debug, Default)]
pub(super) struct Disk {
    folder: OnceLock<PathBuf>,
}

impl Disk {
    /// Starts monitoring the disk of a folder.
    pub(super) fn watch(&self, folder: PathBuf) {
        // Set once, at the start.
        let _ = self.folder.set(folder);
    }

    /// Whether the disk is full, or nearly. A disk that can't be queried counts as having room: the database will
    /// report it.
    pub(super) fn is_full(&self) -> bool {
        let asked = self.folder.get().and_then(|folder| nix::sys::statvfs::statvfs(folder).ok());
        asked.is_some_and(|disk| free(&disk) < LEAST_FREE)
    }
}

/// Returns the bytes that an unprivileged user may still write.
#[expect(clippy::useless_conversion, reason = "its types differ between systems")]
fn free(disk: &nix::sys::statvfs::Statvfs) -> u64 {
    u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_full_and_one_that_is_not_watched_or_not_there_is_none() {
        for (folder, is_full) in [(None, false), (Some("/nowhere"), false), (Some("/proc"), cfg!(target_os = "linux"))]
        {
            let disk = Disk::default();
            if let Some(folder) = folder {
                disk.watch(folder.into());
            }
            assert_eq!(disk.is_full(), is_full, "{folder:?}");
        }
    }
}
