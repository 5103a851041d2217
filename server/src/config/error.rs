//! What is wrong with a setting: where it stands, what was read, what would be right.

use std::io;
use std::path::PathBuf;

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("cannot read the configuration {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A place in the file is wrong.
    #[error("{}, line {line}, column {column}: {message}\n  {line} | {read}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what would be right.
        message: String,
        /// The line, without what may be secret.
        read: String,
    },
    /// A flag or an environment variable is wrong.
    #[error("{origin}: {message}")]
    Said {
        /// The flag or variable.
        origin: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// Settings that are right alone don't fit together.
    #[error("{key} ({origin}): {message}")]
    Unfit {
        /// The setting to change.
        key: &'static str,
        /// Where it was set, or that it wasn't.
        origin: String,
        /// Why it doesn't fit, and what would.
        message: String,
    },
}
