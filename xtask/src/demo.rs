//! `demo`: the server with the demo site, from nothing.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    run::{self, cargo},
    setup::{self, Purpose},
};

/// Sets up, builds the server and becomes `crewbell-server demo`.
///
/// The process is replaced, not wrapped, so that Ctrl-C and SIGTERM reach the server itself.
pub(crate) fn demo(args: &[String]) -> Result<()> {
    setup::setup(Purpose::Demo)?;
    let server = build_server()?;
    let failed = Command::new(&server).arg("demo").args(args).exec();
    Err(failed).with_context(|| format!("could not start {}", server.display()))
}

/// Builds the server in the profile that the tests use too, and says where it is.
pub(crate) fn build_server() -> Result<PathBuf> {
    run::run(cargo().args(["build", "--locked", "--package", "crewbell-server", "--bin", "crewbell-server"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(run::root().join(target).join("debug").join("crewbell-server"))
}
