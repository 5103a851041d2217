//! `test`: everything that must hold, in the order in which a failure is cheapest to learn.
//!
//! What is compiled is compiled once: one build with one profile makes the tests, and on the way lints and documents
//! (`compiler`) and holds the queries against the schema (`prepare`). `programs` runs what was built.

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

/// What became of a step.
enum Outcome {
    Passed,
    /// The tests themselves, with what cargo's closing lines add up to.
    Counted(Counts),
    /// Left out, and why.
    Skipped(&'static str),
}

type Step = (&'static str, fn(&mut Built) -> Result<Outcome>);

/// What one step leaves for the next.
#[derive(Default)]
struct Built {
    programs: Vec<Program>,
}

/// Sets up, then runs the steps until one fails. With `run_tests` false the tests are built and not run.
///
/// # Errors
/// Of the step that failed; a summary is printed first.
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

/// Known holes in what is built in. The list of them is fetched anew each time, so this is left out without a network.
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

/// The tests open the app's window, and want to see the face in it.
fn face(_: &mut Built) -> Result<Outcome> {
    web::ui(Profile::Quick)?;
    Ok(Outcome::Passed)
}

/// Builds all there is, and with it what benchmarks and examples are made of.
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

/// What the build learned of the queries is what is committed. Where it isn't, that may be a query's that is gone since.
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

/// `cargo test` over everything, with the compiler that checks.
fn cargo_of_tests(clippy: bool) -> Result<Command> {
    let mut cargo = cargo();
    cargo.args(["test", "--workspace", "--locked"]);
    compiler::check_with(&mut cargo, clippy)?;
    Ok(cargo)
}

/// Whether cargo's component `name` is there: a person without it can still run the tests, continuous integration may
/// not pass without it.
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
