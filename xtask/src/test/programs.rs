//! The built test programs, the longest first. What a program prints is shown when it ends.

use std::{
    io::{self, Read, Write, stdout},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How many programs run at once. Two would spare minutes, and some stories still wait on the clock of a quiet machine.
const PLACES: usize = 1;
/// The longest by far: begun first, whatever the order in which they were built.
const LONGEST: [&str; 5] = ["window", "stories", "crewbell_server", "device_stories", "simulation"];
/// How a test says that it could not run on this machine: libtest knows no such outcome, and counts it as passed.
/// The line goes to the standard output itself, past libtest's capture.
const SKIPPED: &str = "skipped-test: ";

/// A program that cargo built from tests.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    file: PathBuf,
    /// The folder of its package, where cargo would start it.
    folder: PathBuf,
}

impl Program {
    /// What a line of `cargo test --no-run --message-format json` says was built, where that is a test program; no
    /// benchmark, which would measure something.
    pub(crate) fn from_message(line: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(line).ok()?;
        let target = message.get("target")?;
        let is_test = message.get("profile")?.get("test")?.as_bool()?;
        let kinds = target.get("kind")?.as_array()?;
        if !is_test || kinds.iter().any(|kind| kind == "bench" || kind == "example") {
            return None;
        }
        let manifest = PathBuf::from(message.get("manifest_path")?.as_str()?);
        Some(Self {
            name: target.get("name")?.as_str()?.to_owned(),
            file: message.get("executable")?.as_str()?.into(),
            folder: manifest.parent()?.to_owned(),
        })
    }

    fn rank(&self) -> usize {
        LONGEST.iter().position(|name| *name == self.name).unwrap_or(LONGEST.len())
    }
}

/// Test results, added up over all of the workspace's test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`, or one that says that a test which
    /// counts as passed could not run here; ignores all others.
    pub(crate) fn add(&mut self, line: &str) {
        if line.starts_with(SKIPPED) {
            self.passed = self.passed.saturating_sub(1);
            self.ignored += 1;
            return;
        }
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

    /// Adds all of what a program printed. The closing line comes first: only what passed can have been skipped.
    fn add_all(&mut self, printed: &str) {
        let (skips, others): (Vec<_>, Vec<_>) = printed.lines().partition(|line| line.starts_with(SKIPPED));
        others.into_iter().chain(skips).for_each(|line| self.add(line));
    }
}

/// What became of one program.
struct Ended {
    name: String,
    printed: String,
    good: bool,
    took: Duration,
}

/// Runs `programs`, and shows what each printed when it has ended.
///
/// # Errors
/// When one can't be started, failed, or ended otherwise than with its closing line; after all have run.
pub(crate) fn run(mut programs: Vec<Program>) -> Result<Counts> {
    programs.sort_by_key(Program::rank);
    // Taken from its end.
    programs.reverse();
    let waiting = Mutex::new(programs);
    let mut counts = Counts::default();
    let mut bad = Vec::new();
    thread::scope(|scope| {
        let (ended, all) = mpsc::channel();
        for _ in 0..PLACES {
            let (ended, waiting) = (ended.clone(), &waiting);
            scope.spawn(move || {
                while let Some(program) = next(waiting) {
                    if ended.send(run_one(&program)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        for ended in all {
            let ended: Ended = ended?;
            let took = ended.took.as_secs_f64();
            let mut out = stdout().lock();
            writeln!(out, "\n--- {} ({took:.1} s)\n{}", ended.name, ended.printed.trim_end())?;
            counts.add_all(&ended.printed);
            if !ended.good {
                bad.push(ended.name);
            }
        }
        anyhow::Ok(())
    })?;
    if !bad.is_empty() {
        let Counts { passed, failed, ignored } = counts;
        bail!("{passed} passed, {failed} failed, {ignored} skipped; not well ended: {}", bad.join(", "));
    }
    Ok(counts)
}

fn next(waiting: &Mutex<Vec<Program>>) -> Option<Program> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn run_one(program: &Program) -> Result<Ended> {
    let began = Instant::now();
    // One pipe for both outputs, so that lines stay in their order.
    let (mut reader, writer) = io::pipe()?;
    let mut command = Command::new(&program.file);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder).stdin(Stdio::null());
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("could not start {}", program.file.display()))?;
    // Holds the writing ends, which must go for the reading end to see the end.
    drop(command);
    let mut printed = Vec::new();
    reader.read_to_end(&mut printed)?;
    let good = child.wait()?.success();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    Ok(Ended { name: program.name.clone(), printed, good, took: began.elapsed() })
}

#[cfg(test)]
mod tests {
    use super::{Counts, Program};

    #[test]
    fn closing_lines_of_several_test_programs_add_up() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.02s");
        counts.add("test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s");
        counts.add("test a_test_that_says_9 passed; ... ok");
        assert_eq!(counts, Counts { passed: 7, failed: 1, ignored: 1 });
    }

    #[test]
    fn a_test_that_could_not_run_is_skipped_and_not_passed() {
        let mut counts = Counts::default();
        counts.add_all(
            "skipped-test: a_full_disk: no mount here\ntest a_full_disk ... ok\ntest result: ok. 2 passed; 0 failed;",
        );
        assert_eq!(counts, Counts { passed: 1, failed: 0, ignored: 1 });
    }

    #[test]
    fn test_programs_are_taken_from_cargos_messages_and_benchmarks_are_not() {
        let message = |kind: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/c/server/Cargo.toml","target":{{"kind":["{kind}"],"name":"n"}},
                "profile":{{"test":{test}}},"executable":"/c/target/debug/deps/n-1"}}"#
            )
        };
        assert_eq!(Program::from_message(&message("test", true)).unwrap().folder.to_str(), Some("/c/server"));
        assert!(Program::from_message(&message("bench", true)).is_none());
        assert!(Program::from_message(&message("bin", false)).is_none());
        assert!(Program::from_message("   Compiling server").is_none());
    }
}
