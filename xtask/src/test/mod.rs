//! `test`: runs all checks, in an order in which cheap failures come first.
//!
//! Everything is compiled once: one build with one profile makes the tests, and also lints and documents (`compiler`)
//! and checks the queries against the schema (`prepare`). `programs` runs the built tests.

pub(crate) mod compiler;
mod programs;

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    prepare::{self, Changes, Schema},
    run::{self, cargo, succeeds},
    setup::{self, Purpose, deny},
    web::{self, Profile},
};
use programs::{Counts, Program};

/// The result of a step.
enum Outcome {
    Passed,
    /// The tests were run, with the totals of libtest's summary lines.
    Counted(Counts),
    /// The step was skipped, with the reason.
    Skipped(&'static str),
}

type Step = (&'static str, fn(&mut Built) -> Result<Outcome>);

/// State passed from one step to the next.
#[derive(Default)]
struct Built {
    programs: Vec<Program>,
}

/// Sets up, then runs the steps until one fails. With `run_tests` false the tests are built but not run.
///
/// # Errors
/// Returns the error of the failed step; a summary is printed first.
pub(crate) fn test(run_tests: bool) -> Result<()> {
    let began = Instant::now();
    let mut steps: Vec<Step> = vec![
        ("set-up", set_up),
        ("formatting", formatting),
        ("licences", licences),
        ("advisories", advisories),
        ("face", face),
        ("build, lints, docs", build),
        ("query data", query_data),
    ];
    if run_tests {
        steps.extend([("examples in docs", doc_tests as fn(&mut Built) -> _), ("tests", tests)]);
    }

    let mut built = Built::default();
    let mut summary = Vec::new();
    let mut counts = None;
    let mut failure = None;
    for (name, step) in steps {
        println!("\n==> {name}");
        let step_began = Instant::now();
        let outcome = step(&mut built);
        let took = seconds(step_began.elapsed());
        match outcome {
            Ok(Outcome::Passed) => summary.push(format!("  ok       {took}  {name}")),
            Ok(Outcome::Counted(counted)) => {
                summary.push(format!("  ok       {took}  {name}"));
                counts = Some(counted);
            }
            Ok(Outcome::Skipped(why)) => {
                println!("skipped: {why}");
                summary.push(format!("  skipped  {took}  {name}: {why}"));
            }
            Err(error) => {
                summary.push(format!("  FAILED   {took}  {name}"));
                failure = Some(error.context(format!("the step \"{name}\" failed")));
                break;
            }
        }
    }

    println!("\n==> summary\n{}\n           {}  in all", summary.join("\n"), seconds(began.elapsed()));
    if let Some(counts) = counts {
        println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.ignored);
    }
    failure.map_or(Ok(()), Err)
}

fn seconds(time: Duration) -> String {
    format!("{:7.1} s", time.as_secs_f64())
}

fn set_up(_: &mut Built) -> Result<Outcome> {
    setup::setup(Purpose::Test)?;
    Ok(Outcome::Passed)
}

fn formatting(_: &mut Built) -> Result<Outcome> {
    if !has("fmt")? {
        return Ok(Outcome::Skipped("rustfmt is not installed here (`rustup component add rustfmt clippy`)"));
    }
    pass(cargo().args(["fmt", "--all", "--check"]))
}

fn licences(_: &mut Built) -> Result<Outcome> {
    let Some(deny) = deny::program() else {
        return Ok(Outcome::Skipped("cargo-deny could not be had (`cargo install --locked cargo-deny`)"));
    };
    pass(Command::new(deny).args(["--workspace", "check", "bans", "licenses", "sources"]))
}

/// Checks dependencies for known vulnerabilities. The advisory database is fetched each time, so the step is skipped
/// without a network.
fn advisories(_: &mut Built) -> Result<Outcome> {
    let Some(deny) = deny::program() else {
        return Ok(Outcome::Skipped("cargo-deny could not be had (`cargo install --locked cargo-deny`)"));
    };
    let mut fetch = Command::new(&deny);
    if !succeeds(fetch.args(["fetch", "db"])) {
        return Ok(Outcome::Skipped("the list of advisories is out of reach from here"));
    }
    pass(Command::new(deny).args(["--workspace", "check", "advisories"]))
}

/// Builds the UI, which the window tests need.
fn face(_: &mut Built) -> Result<Outcome> {
    web::ui(Profile::Quick)?;
    Ok(Outcome::Passed)
}

/// Builds all targets, including benchmarks and examples.
fn build(built: &mut Built) -> Result<Outcome> {
    let clippy = has("clippy")?;
    let schema = Schema::start()?;
    let mut cargo = cargo_of_tests(clippy)?;
    cargo.args(["--all-targets", "--no-run", "--message-format", "json-render-diagnostics"]);
    schema.check_queries_of(&mut cargo);
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("could not start cargo")?;
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).lines() {
        built.programs.extend(Program::from_message(&line?));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("it does not compile without complaint ({status})");
    }
    if !clippy {
        return Ok(Outcome::Skipped(
            "lints only: Clippy is not installed here (`rustup component add rustfmt clippy`)",
        ));
    }
    Ok(Outcome::Passed)
}

/// Checks that the build's query data equals the committed one. A difference may come from a removed query, so
/// `prepare` checks again from scratch.
fn query_data(_: &mut Built) -> Result<Outcome> {
    if !Changes::of_last_build()?.none() {
        prepare::prepare(true)?;
    }
    Ok(Outcome::Passed)
}

fn doc_tests(_: &mut Built) -> Result<Outcome> {
    pass(cargo_of_tests(has("clippy")?)?.args(["--doc", "--quiet"]))
}

fn tests(built: &mut Built) -> Result<Outcome> {
    let counts = programs::run(std::mem::take(&mut built.programs))?;
    if counts.passed == 0 {
        bail!("no test ran");
    }
    Ok(Outcome::Counted(counts))
}

/// `cargo test` over the workspace, with the compiler wrapper.
fn cargo_of_tests(clippy: bool) -> Result<Command> {
    let mut cargo = cargo();
    cargo.args(["test", "--workspace", "--locked"]);
    compiler::check_with(&mut cargo, clippy)?;
    Ok(cargo)
}

/// Whether cargo's component `name` is installed. Without it the tests can still run, but continuous integration fails.
fn has(name: &str) -> Result<bool> {
    if succeeds(cargo().args([name, "--version"])) {
        return Ok(true);
    }
    if env::var_os("CI").is_some() {
        bail!("cargo {name} is missing; `rustup component add rustfmt clippy` installs it");
    }
    Ok(false)
}

fn pass(command: &mut Command) -> Result<Outcome> {
    run::run(command)?;
    Ok(Outcome::Passed)
}
