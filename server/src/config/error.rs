//! Errors of the settings, each with the location, the value read and what would be right.

use std::io;
use std::path::PathBuf;

/// The error of a setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file can't be read.
    #[error("cannot read the configuration {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A value in the file is wrong.
    #[error("{}, line {line}, column {column}: {message}\n  {line} | {read}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// The fault, and what would be right.
        message: String,
        /// The line's text, without possible secrets.
        read: String,
    },
    /// A flag or an environment variable is wrong.
    #[error("{origin}: {message}")]
    Said {
        /// The flag or variable.
        origin: String,
        /// The fault, and what would be right.
        message: String,
    },
    /// Settings that are valid by themselves conflict.
    #[error("{key} ({origin}): {message}")]
    Unfit {
        /// The setting to change.
        key: &'static str,
        /// Where it was set, or "not set".
        origin: String,
        /// The conflict, and how to resolve it.
        message: String,
    },
}
