//! The project's development commands: `cargo xtask …`, also behind `make demo`, `make test` and others.
//!
//! - `setup`: reports and installs missing dependencies of the machine
//! - `demo`, `test`, `bench`, `openapi`, `bundle`: the main commands
//! - `fuzz`: long runs with random input
//! - `schemathesis`: tests of the REST interface against its OpenAPI document
//! - `prepare`: updates the committed query data (`.sqlx/`)
//! - `postgres`: the installed PostgreSQL, and temporary clusters
//! - `web`: builds the UI into the folder that the app is built with
//! - `run`: starts other programs, with errors that name them

mod bench;
mod bundle;
mod demo;
mod fuzz;
mod npm;
mod openapi;
mod postgres;
mod prepare;
mod run;
mod schemathesis;
mod setup;
mod test;
mod web;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what this machine lacks to run the demo and the tests
    Setup,
    /// Build and start the demo site with the app's window; further arguments go to `crewbell-server demo`
    ///
    /// `--terminal` shows the demo in the terminal instead, as happens without a display.
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check and test everything, as continuous integration does
    Test {
        /// Build with lints, docs and query checks, check formatting and licences, but run no tests
        #[arg(long)]
        no_run: bool,
    },
    /// Rewrite `.sqlx/`, which lets the queries be checked without a database
    Prepare {
        /// Change nothing; fail if the committed data is out of date
        #[arg(long)]
        check: bool,
    },
    /// Run a benchmark of the server (`press`) or of the app (`app`); further arguments go to it (`--help` lists its
    /// flags)
    Bench {
        name: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Rewrite `docs/openapi.json` from the server
    Openapi,
    /// Test external input (devices' messages, MQTT, live frames) with random bytes, different in each run
    Fuzz {
        /// Number of cases per test; 100,000 take some minutes
        #[arg(default_value_t = 100_000)]
        cases: u32,
    },
    /// Test the REST interface against its OpenAPI document with Schemathesis, in each role; further arguments go to it
    Schemathesis {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Build the UI into `target/web/dist`, which the app is built with
    Ui {
        /// Build for release: small, and slow to build
        #[arg(long)]
        release: bool,
    },
    /// Make the app's installable packages
    Bundle {
        /// The kinds of packages
        #[arg(default_values_t = ["deb".to_owned(), "appimage".to_owned()])]
        kinds: Vec<String>,
        /// Build without optimisation, to test the packaging
        #[arg(long)]
        debug: bool,
    },
}

fn main() -> ExitCode {
    if let Some(code) = test::compiler::as_rustc() {
        return code;
    }
    let done = run(Cli::parse().command);
    // Users get sentences without a backtrace.
    done.map_or_else(
        |error| {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run(command: Command) -> Result<()> {
    std::env::set_current_dir(run::root())?;
    match command {
        Command::Setup => setup::setup(setup::Purpose::Test),
        Command::Demo { args } => demo::demo(&args),
        Command::Test { no_run } => test::test(!no_run),
        Command::Prepare { check } => prepare::prepare(check),
        Command::Bench { name, args } => bench::bench(&name, &args),
        Command::Fuzz { cases } => fuzz::fuzz(cases),
        Command::Openapi => openapi::openapi(),
        Command::Schemathesis { args } => schemathesis::schemathesis(&args),
        Command::Ui { release } => web::ui(if release { web::Profile::Small } else { web::Profile::Quick }).map(drop),
        Command::Bundle { kinds, debug } => bundle::bundle(&kinds, debug),
    }
}
