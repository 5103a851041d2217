//! Runs other programs; an error names the program and its purpose.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail};

/// The workspace's root: the working directory of every command here.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The cargo that runs this program, so that a toolchain chosen on the command line stays chosen.
///
/// Compiling never needs a database: the queries are checked against `.sqlx/`. The variables that `cargo run` sets for
/// this program's own package are removed: ring's build script depends on them, so ring and its dependents would be
/// rebuilt at every switch between `cargo xtask` and plain `cargo`.
pub(crate) fn cargo() -> Command {
    cargo_at(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Another cargo than the running one, with the same clean environment.
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

/// Runs `command` to its end, with inherited input and output.
///
/// # Errors
/// Returns an error if it can't be started, or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", words(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words(command));
    }
    Ok(())
}

/// Runs `command` and returns its output.
///
/// # Errors
/// Returns an error with the output if it can't be started or fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("could not start `{}`", words(command)))?;
    if !status.success() {
        let said = [stdout, stderr].concat();
        bail!("`{}` failed ({status}):\n{}", words(command), String::from_utf8_lossy(&said).trim_end());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Whether `command` starts and succeeds; its output is discarded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The path of a program: on `PATH`, in system folders that `PATH` often lacks for unprivileged users (Debian keeps
/// `mosquitto` in `/usr/sbin`), or in Homebrew's.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin"];
    env::split_paths(&path).chain(more.map(PathBuf::from)).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The command as a shell line.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
