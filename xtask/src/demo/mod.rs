//! `demo`: the server with the demo site, from nothing; where there is a display, with the app's window beside the
//! buttons on board, otherwise as a story in the terminal.
//!
//! - `display`: whether there is one
//! - `stage`: the server, the windows, the keyboard, and the end of all of it
//! - `child`: programs that end with the demo

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

/// Asks for the story in the terminal, also where there is a display. All other arguments are the server's.
const TERMINAL: &str = "--terminal";

/// Arguments of whoever drives the server by a program, or only asks: they want the server and no window.
const DRIVEN: [&str; 4] = ["--headless", "--json", "--help", "-h"];

/// Sets up, builds, and shows the demo until it is ended.
///
/// # Errors
/// When something can't be had or built, or the server doesn't start.
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

/// Builds the server and becomes `crewbell-server demo`.
///
/// The process is replaced, not wrapped, so that Ctrl-C and SIGTERM reach the server itself.
fn terminal(args: &[String]) -> Result<()> {
    let server = build_server()?;
    let failed = Command::new(&server).arg("demo").args(args).exec();
    Err(failed).with_context(|| format!("could not start {}", server.display()))
}

/// Builds the server in the profile that the tests use too, and says where it is.
pub(crate) fn build_server() -> Result<PathBuf> {
    build("crewbell-server", "crewbell-server")
}

fn build(package: &str, program: &str) -> Result<PathBuf> {
    run::run(cargo().args(["build", "--locked", "--package", package, "--bin", program]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(run::root().join(target).join("debug").join(program))
}
