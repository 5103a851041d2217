//! Whether the database can take what is written, as far as that is seen from outside.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Bytes that must be free where the private cluster is: two segments of its log, and a little.
const LEAST_FREE: u64 = 40 * 1024 * 1024;

/// Why the server can't take a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unready {
    /// The database doesn't answer.
    Away,
    /// The disk of the private cluster is full, or nearly.
    DiskFull,
}

impl Unready {
    /// A line for whoever watches the server.
    pub fn why(self) -> &'static str {
        match self {
            Self::Away => "the database is away\n",
            Self::DiskFull => "the disk of the database is full\n",
        }
    }
}

/// The disk on which the private cluster is, if it is to be watched.
#[derive(Debug, Default)]
pub(super) struct Disk {
    folder: OnceLock<PathBuf>,
}

impl Disk {
    /// Has the disk of a folder watched.
    pub(super) fn watch(&self, folder: PathBuf) {
        // Said once, at the start.
        let _ = self.folder.set(folder);
    }

    /// Whether it is full, or nearly. One that can't be asked counts as having room: the database will say.
    pub(super) fn is_full(&self) -> bool {
        let asked = self.folder.get().and_then(|folder| nix::sys::statvfs::statvfs(folder).ok());
        asked.is_some_and(|disk| free(&disk) < LEAST_FREE)
    }
}

/// What an ordinary user may still write.
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
