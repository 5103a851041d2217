//! The project's own commands: `cargo xtask …`, and behind `make demo`, `make test` and the rest.
//!
//! - `setup`: finds what the machine lacks, says so, installs it
//! - `demo`, `test`, `bench`, `openapi`, `bundle`: what a person runs
//! - `fuzz`: bytes that nobody meant, for long
//! - `schemathesis`: the REST interface against its own description
//! - `prepare`: keeps the committed query data (`.sqlx/`) true
//! - `postgres`: the installed PostgreSQL, and throw-away clusters of it
//! - `web`: the face, from Rust to the folder that the app is built with
//! - `run`: starting other programs with errors that name them

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
    /// Build and start the demo site with the app's window; what follows goes to `crewbell-server demo`
    ///
    /// `--terminal` tells the story in the terminal instead, as happens where there is no display.
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check and test everything, as continuous integration does
    Test {
        /// Leave out running the tests: formatting, licences, and the build with its lints, docs and queries
        #[arg(long)]
        no_run: bool,
    },
    /// Rewrite `.sqlx/`, which lets the queries be checked without a database
    Prepare {
        /// Change nothing; fail when what is committed is out of date
        #[arg(long)]
        check: bool,
    },
    /// Run a benchmark of the server (`press`) or of the app (`app`); what follows goes to it (`--help` lists its flags)
    Bench {
        name: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Rewrite `docs/openapi.json` from the server
    Openapi,
    /// Try what comes from outside (devices' messages, MQTT, live frames) with bytes that nobody meant, others each time
    Fuzz {
        /// So many cases of each sort; 100,000 take some minutes
        #[arg(default_value_t = 100_000)]
        cases: u32,
    },
    /// Try the REST interface against its own description with Schemathesis, in each role; what follows goes to it
    Schemathesis {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Build the face into `target/web/dist`, which the app is built with
    Ui {
        /// As it is shipped: small, and slow to build
        #[arg(long)]
        release: bool,
    },
    /// Make what the app is installed from
    Bundle {
        /// What to make
        #[arg(default_values_t = ["deb".to_owned(), "appimage".to_owned()])]
        kinds: Vec<String>,
        /// Without optimisation, to try the packing
        #[arg(long)]
        debug: bool,
    },
}

fn main() -> ExitCode {
    if let Some(code) = test::compiler::as_rustc() {
        return code;
    }
    let done = run(Cli::parse().command);
    // A person gets sentences, never a backtrace of ours.
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
