//! `test`: everything that must hold, in the order in which a failure is cheapest to learn.

use std::{
    env,
    io::{BufRead, BufReader, Write, stdout},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    prepare,
    run::{self, cargo, find, succeeds},
    setup::{self, Purpose},
    web::{self, Profile},
};

/// What became of a step.
enum Outcome {
    Passed,
    /// The tests themselves, with what cargo's closing lines add up to.
    Counted(Counts),
    /// Left out, and why.
    Skipped(&'static str),
}

type Step = (&'static str, fn() -> Result<Outcome>);

/// Sets up, then runs the steps until one fails. With `run_tests` false the tests are left out.
///
/// # Errors
/// Of the step that failed; a summary is printed first.
pub(crate) fn test(run_tests: bool) -> Result<()> {
    let began = Instant::now();
    let mut steps: Vec<Step> = vec![("set-up", set_up), ("formatting", formatting), ("lints", lints)];
    if run_tests {
        steps.push(("face", face));
        steps.push(("tests", tests));
    }
    steps.extend([("docs", docs as fn() -> _), ("licences", licences), ("query data", query_data)]);

    let mut summary = Vec::new();
    let mut counts = None;
    let mut failure = None;
    for (name, step) in steps {
        println!("\n==> {name}");
        let step_began = Instant::now();
        let outcome = step();
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

fn set_up() -> Result<Outcome> {
    setup::setup(Purpose::Test)?;
    Ok(Outcome::Passed)
}

fn formatting() -> Result<Outcome> {
    if let Some(skipped) = without("fmt")? {
        return Ok(skipped);
    }
    pass(cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<Outcome> {
    if let Some(skipped) = without("clippy")? {
        return Ok(skipped);
    }
    pass(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

/// The tests open the app's window, and want to see the face in it.
fn face() -> Result<Outcome> {
    web::ui(Profile::Quick)?;
    Ok(Outcome::Passed)
}

fn docs() -> Result<Outcome> {
    pass(cargo().args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn licences() -> Result<Outcome> {
    if find("cargo-deny").is_none() {
        return Ok(Outcome::Skipped("cargo-deny is not installed (`cargo install --locked cargo-deny`)"));
    }
    pass(cargo().args(["deny", "--workspace", "check", "bans", "licenses", "sources"]))
}

fn query_data() -> Result<Outcome> {
    prepare::prepare(true)?;
    Ok(Outcome::Passed)
}

/// The outcome when cargo's component `name` is missing: a person without it can still run the
/// tests, continuous integration may not pass without it.
fn without(name: &str) -> Result<Option<Outcome>> {
    if succeeds(cargo().args([name, "--version"])) {
        return Ok(None);
    }
    if env::var_os("CI").is_some() {
        bail!("cargo {name} is missing; `rustup component add rustfmt clippy` installs it");
    }
    Ok(Some(Outcome::Skipped("not installed here (`rustup component add rustfmt clippy`)")))
}

fn pass(command: &mut Command) -> Result<Outcome> {
    run::run(command)?;
    Ok(Outcome::Passed)
}

/// Test results, added up over all of the workspace's test programs.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`; ignores all others.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let numbers = result.split_once(". ").map_or(result, |(_, numbers)| numbers);
        for part in numbers.split(';') {
            let mut words = part.split_whitespace();
            let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Runs the tests, passing on what they print as it comes, and adds up the closing lines.
fn tests() -> Result<Outcome> {
    let mut cargo = cargo();
    cargo.args(["test", "--workspace", "--locked"]);
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("could not start cargo")?;
    let mut counts = Counts::default();
    let mut out = stdout().lock();
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).split(b'\n') {
        let line = line?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        counts.add(&String::from_utf8_lossy(&line));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} passed, {} failed, {} skipped ({status})", counts.passed, counts.failed, counts.ignored);
    }
    if counts.passed == 0 {
        bail!("no test ran");
    }
    Ok(Outcome::Counted(counts))
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn closing_lines_of_several_test_programs_add_up() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.02s");
        counts.add("test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s");
        counts.add("test a_test_that_says_9 passed; ... ok");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (7, 1, 1));
    }
}
