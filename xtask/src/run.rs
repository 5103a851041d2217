//! Starts other programs; a failure names the program and says what it was for.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail};

/// The workspace's root: where every command here runs.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Cargo as it was called, so that a toolchain chosen on the command line stays chosen.
///
/// Compiling never needs a database: the queries are checked against `.sqlx/`. What `cargo run`
/// told this program about its own package is taken away again: ring's build script looks at those
/// variables, so ring and all that stands on it would be built anew at every change between
/// `cargo xtask` and plain `cargo`.
pub(crate) fn cargo() -> Command {
    cargo_at(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Another cargo than the one that was called, in the same clean surroundings.
pub(crate) fn cargo_at(program: impl AsRef<OsStr>) -> Command {
    let mut cargo = Command::new(program);
    for (name, _) in env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo.env("SQLX_OFFLINE", "true").env_remove("DATABASE_URL");
    cargo
}

/// Runs `command` with our own input and output until it ends.
///
/// # Errors
/// When it can't be started, or ends with anything but success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", words(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words(command));
    }
    Ok(())
}

/// Runs `command` and returns what it printed.
///
/// # Errors
/// When it can't be started or fails; the message then carries what it said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("could not start `{}`", words(command)))?;
    if !status.success() {
        let said = [stdout, stderr].concat();
        bail!("`{}` failed ({status}):\n{}", words(command), String::from_utf8_lossy(&said).trim_end());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Whether `command` starts and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The program `name` on `PATH`, or in the system folders that `PATH` often lacks for a person
/// who is not root (Debian keeps `mosquitto` in `/usr/sbin`), or in Homebrew's.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin"];
    env::split_paths(&path).chain(more.map(PathBuf::from)).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The line that a person would have typed.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
