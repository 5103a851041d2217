//! `demo`: sets up, builds and runs the server with the demo site. With a display it opens windows of the app and of
//! the buttons; otherwise it shows the timeline in the terminal.
//!
//! - `display`: detection of a display
//! - `stage`: the server, the windows, keyboard input, and the shutdown
//! - `child`: child processes that end with the demo

mod child;
mod display;
mod stage;

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    run::{self, cargo},
    setup::{self, Purpose},
    web::{self, Profile},
};

/// Flag for the terminal output despite a display. All other arguments are the server's.
const TERMINAL: &str = "--terminal";

/// Arguments for scripted use or for help, which need the server and no window.
const DRIVEN: [&str; 4] = ["--headless", "--json", "--help", "-h"];

/// Sets up, builds, and runs the demo until it is ended.
///
/// # Errors
/// Returns an error if something can't be installed or built, or the server doesn't start.
pub(crate) fn demo(args: &[String]) -> Result<()> {
    let (own, args): (Vec<_>, Vec<_>) = args.iter().cloned().partition(|arg| arg == TERMINAL);
    setup::setup(Purpose::Demo)?;
    if !own.is_empty() || args.iter().any(|arg| DRIVEN.contains(&arg.as_str())) {
        return terminal(&args);
    }
    if let Err(why) = display::find() {
        eprintln!("No window can be opened here: {why}. The demo tells its story in the terminal.\n");
        return terminal(&args);
    }
    setup::setup(Purpose::App).context("the app can't be built here (`make demo ARGS=--terminal` needs less)")?;
    let server = build_server()?;
    web::ui(Profile::Quick)?;
    let app = build("crewbell", "crewbell")?;
    stage::play(&server, &app, &args)
}

/// Builds the server and replaces this process by `crewbell-server demo`.
///
/// The process is replaced so that Ctrl-C and SIGTERM reach the server itself.
fn terminal(args: &[String]) -> Result<()> {
    let server = build_server()?;
    let failed = Command::new(&server).arg("demo").args(args).exec();
    Err(failed).with_context(|| format!("could not start {}", server.display()))
}

/// Builds the server in the profile that the tests use too, and returns its path.
pub(crate) fn build_server() -> Result<PathBuf> {
    build("crewbell-server", "crewbell-server")
}

fn build(package: &str, program: &str) -> Result<PathBuf> {
    run::run(cargo().args(["build", "--locked", "--package", package, "--bin", program]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(run::root().join(target).join("debug").join(program))
}
