//! Runs the built test programs in two lanes: CPU-bound ones, and beside them those that mostly wait. A program's
//! output is shown when it ends.

use std::{
    io::{self, Read, Write, stdout},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// CPU-bound programs, the longest first, regardless of the build order. Others come after them.
const LONGEST: [&str; 6] = ["window", "stories", "crewbell_server", "device_stories", "interop", "simulation"];
/// Programs that mostly wait: calls and sounds play in real time. They run sequentially beside the rest.
const WAITING: [&str; 8] = [
    "whole_call",
    "audio_call",
    "session",
    "sounds",
    "audio_devices",
    "audio_callbacks",
    "audio_waits",
    "crewbell_voice",
];
/// Time limit for a program: several times what the longest takes on a busy machine. A hanging program then fails with
/// its name and output, and the rest is still reported.
const LIMIT: Duration = Duration::from_mins(40);
/// Time limit for the remaining output of a killed program: its children may still hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// The prefix of a test's report that it could not run on this machine: libtest has no such result and counts it as
/// passed. The line is written directly to standard output, past libtest's capture.
const SKIPPED: &str = "skipped-test: ";

/// A test program built by cargo.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    file: PathBuf,
    /// The folder of its package, which cargo would use as the working directory.
    folder: PathBuf,
}

impl Program {
    /// Parses a line of `cargo test --no-run --message-format json`; none unless it reports a test program. Benchmarks
    /// and examples don't count.
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

    /// Its position in its lane.
    fn rank(&self) -> usize {
        let place = |names: &[&str]| names.iter().position(|name| *name == self.name).unwrap_or(names.len());
        if self.waits() { place(&WAITING) } else { place(&LONGEST) }
    }

    /// Whether it belongs to the lane of programs that mostly wait.
    fn waits(&self) -> bool {
        WAITING.contains(&self.name.as_str())
    }
}

/// Test results, summed over the workspace's test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`, or the report of a skipped test, which
    /// libtest counts as passed; ignores all others.
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

    /// Adds all output of a program. The summary line comes first, because skips are subtracted from the passed tests.
    fn add_all(&mut self, printed: &str) {
        let (skips, others): (Vec<_>, Vec<_>) = printed.lines().partition(|line| line.starts_with(SKIPPED));
        others.into_iter().chain(skips).for_each(|line| self.add(line));
    }
}

/// The result of one program.
struct Ended {
    name: String,
    printed: String,
    good: bool,
    took: Duration,
}

/// Runs `programs`, and shows the output of each when it has ended.
///
/// # Errors
/// Returns an error if one can't be started, fails, or ends without its summary line; after all have run.
pub(crate) fn run(mut programs: Vec<Program>) -> Result<Counts> {
    programs.sort_by_key(Program::rank);
    let lanes: (Vec<_>, Vec<_>) = programs.into_iter().partition(Program::waits);
    let mut counts = Counts::default();
    let mut bad = Vec::new();
    thread::scope(|scope| {
        let (ended, all) = mpsc::channel();
        for lane in [lanes.0, lanes.1] {
            let ended = ended.clone();
            scope.spawn(move || lane.iter().try_for_each(|program| ended.send(run_one(program, LIMIT))));
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

/// Runs a program to its end, or until `limit`.
fn run_one(program: &Program, limit: Duration) -> Result<Ended> {
    let began = Instant::now();
    // One pipe for both outputs, so that lines keep their order.
    let (mut reader, writer) = io::pipe()?;
    let mut command = Command::new(&program.file);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder).stdin(Stdio::null());
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("could not start {}", program.file.display()))?;
    // The command holds the writing ends, which must be closed for the reader to see the end of output.
    drop(command);

    let printed = Arc::new(Mutex::new(Vec::new()));
    let (at_its_end, end) = mpsc::channel::<()>();
    let printing = Arc::clone(&printed);
    thread::spawn(move || {
        let mut some = [0; 8192];
        while let Ok(length @ 1..) = reader.read(&mut some) {
            printing.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&some[..length]);
        }
        drop(at_its_end);
    });
    // Nothing is ever sent: the channel closes when the output ends.
    let hung = end.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
    if hung {
        child.kill()?;
        end.recv_timeout(LAST_WORDS).unwrap_or_default();
    }
    let good = child.wait()?.success() && !hung;
    let printed = std::mem::take(&mut *printed.lock().unwrap_or_else(PoisonError::into_inner));
    let mut printed = String::from_utf8_lossy(&printed).into_owned();
    if hung {
        printed = format!("{printed}\nended after {} s: it hangs, or the machine is far too slow", limit.as_secs());
    }
    Ok(Ended { name: program.name.clone(), printed, good, took: began.elapsed() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Counts, Program, run_one};

    fn program(name: &str, file: &str) -> Program {
        Program { name: name.to_owned(), file: file.into(), folder: "/".into() }
    }

    #[test]
    fn a_program_that_hangs_is_ended_and_what_it_printed_is_told() {
        // `yes` prints without end, and ends only when its output is closed.
        let ended = run_one(&program("hangs", "/usr/bin/yes"), Duration::from_millis(20)).unwrap();
        assert!(!ended.good);
        assert!(ended.printed.starts_with("y\ny\n") && ended.printed.contains("ended after 0 s"));
        let ended = run_one(&program("fine", "/bin/true"), Duration::from_mins(1)).unwrap();
        assert!(ended.good && ended.took < Duration::from_secs(30), "{:?}", ended.took);
    }

    #[test]
    fn what_waits_runs_beside_what_computes_and_the_longest_begins_each_lane() {
        let mut all = ["shared", "session", "stories", "whole_call", "window"].map(|name| program(name, "/bin/true"));
        all.sort_by_key(Program::rank);
        let (beside, rest): (Vec<_>, Vec<_>) = all.iter().partition(|program| program.waits());
        assert_eq!(beside.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["whole_call", "session"]);
        assert_eq!(rest.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["window", "stories", "shared"]);
    }

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
