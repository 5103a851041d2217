//! The files of a database: the file itself, and SQLite's companion files.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::super::StoreError;

/// Suffixes of SQLite's companion files; the log is deleted first, as it is useless without the file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// An exclusive lock on a folder, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone keeps the lock as long as a child process holds a copy of the handle.
        self.0.unlock().ok();
    }
}

/// Returns the path with a suffix appended.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates the folder with access for this user only, and locks it for this process.
pub(super) fn take(folder: &Path) -> Result<Lock, StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| store_error(&error))?;
    let lock = File::options().create(true).write(true).truncate(false).open(folder.join("lock"));
    let lock = lock.map_err(|error| store_error(&error))?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Failed(format!("another Crewbell has {} open", folder.display())))
        }
        Err(TryLockError::Error(error)) => Err(store_error(&error)),
    }
}

/// Converts a file system error to a store error.
pub(super) fn store_error(error: &io::Error) -> StoreError {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if is_full { StoreError::Full } else { StoreError::Failed(error.to_string()) }
}

/// Returns whether any file of a database exists.
pub(super) fn is_there(path: &Path) -> bool {
    path.exists() || beside(path, "-wal").exists()
}

/// Returns the size of a database, in bytes.
pub(super) fn bytes(path: &Path) -> u64 {
    let size = |suffix: &str| fs::metadata(beside(path, suffix)).map_or(0, |it| it.len());
    size("") + BESIDE.map(size).iter().sum::<u64>()
}

/// Removes a database, if it exists.
pub(super) fn remove(path: &Path) {
    for suffix in BESIDE {
        fs::remove_file(beside(path, suffix)).ok();
    }
    fs::remove_file(path).ok();
}

/// Moves a database aside, as `….broken-N`, and removes the oldest such copies above a limit.
pub(super) fn move_aside(path: &Path, most: usize) -> io::Result<()> {
    let aside = |number: u32| beside(path, &format!(".broken-{number}"));
    let mut before = numbers(path)?;
    let number = before.last().map_or(1, |last| last.saturating_add(1));
    let to = aside(number);
    fs::remove_file(beside(path, "-shm")).ok();
    for suffix in ["-wal", "-journal", ""] {
        match fs::rename(beside(path, suffix), beside(&to, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    before.push(number);
    let surplus = before.len().saturating_sub(most);
    before.drain(..surplus).for_each(|number| remove(&aside(number)));
    Ok(())
}

/// Removes all copies that were moved aside.
pub(super) fn remove_broken(path: &Path) {
    for number in numbers(path).unwrap_or_default() {
        remove(&beside(path, &format!(".broken-{number}")));
    }
}

/// Returns the numbers of the copies that were moved aside, in order.
fn numbers(path: &Path) -> io::Result<Vec<u32>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let prefix = format!("{name}.broken-");
    let number =
        |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix(&prefix)?.split('-').next()?.parse().ok();
    let mut numbers: Vec<u32> = fs::read_dir(folder)?.filter_map(|entry| number(entry.ok()?)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// Renames a complete file into place, durably.
pub(super) fn put_in_place(made: &Path, path: &Path) -> io::Result<()> {
    fs::rename(made, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
