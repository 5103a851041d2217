//! The lock file that allows one server per data folder.

use super::error::{At, ClusterError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// An exclusive lock on the data folder. The kernel releases it when the process ends, in any way.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDirLock {
    /// Locks the folder, which must exist, and writes this process's id into `server.lock`.
    ///
    /// # Errors
    /// Returns [`ClusterError::InUse`] with the process id of the holder if the folder is locked.
    pub fn take(data_dir: &Path) -> Result<Self, ClusterError> {
        let path = data_dir.join("server.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .at("cannot open", &path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).at("cannot write", &path)?;
                file.rewind().at("cannot write", &path)?;
                writeln!(file, "{}", std::process::id()).at("cannot write", &path)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder may not have written its id yet; the id is "unknown" then.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "unknown" } else { holder }.to_owned();
                Err(ClusterError::InUse { data_dir: data_dir.to_owned(), holder })
            }
            Err(TryLockError::Error(source)) => Err(ClusterError::Io { what: "cannot lock", path, source }),
        }
    }
}
