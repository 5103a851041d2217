//! The compiler wrapper of the test build: rustc with Clippy's lints, followed by rustdoc.
//!
//! `cargo clippy` and `cargo doc` compile every dependency once more, as metadata only: eleven of 58 minutes on two
//! cores. Cargo lets another program stand in for rustc for the workspace's own crates (`RUSTC_WORKSPACE_WRAPPER`), so
//! one build compiles, lints and documents. A crate that fails a lint or has a broken doc link fails to compile, and is
//! compiled again the next time.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use anyhow::{Context, Result};

use crate::run::root;

/// The variable that is set when this program is called in place of rustc; its value says whether Clippy lints.
const ROLE: &str = "CREWBELL_CHECKS_AS_RUSTC";
const WITH_CLIPPY: &str = "clippy";
/// The variable and value that pass arguments to `clippy-driver`; the odd word is its separator.
const DENY_WARNINGS: (&str, &str) = ("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
/// The folder of the copy of this program that cargo calls, and of rustdoc's output.
const FOLDER: &str = "target/checks";

/// Options of rustc that rustdoc needs to read the same crate, each followed by its value.
const KEPT_WITH_VALUE: [&str; 6] = ["--crate-name", "--cfg", "--check-cfg", "-L", "--extern", "--target"];
/// The same, for options with the value in the same word.
const KEPT: [&str; 5] = ["--edition=", "--warn=", "--deny=", "--allow=", "--forbid="];

/// Makes `cargo` compile the workspace's crates with this program.
///
/// It uses a copy, since the build may replace the running program.
///
/// # Errors
/// Returns an error if the copy can't be made.
pub(crate) fn check_with(cargo: &mut Command, clippy: bool) -> Result<()> {
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder)?;
    let own = fs::read(env::current_exe()?)?;
    let copy = folder.join("rustc-with-checks");
    // Written only on changes: cargo asks a new compiler for its version and targets.
    if fs::read(&copy).ok().as_ref() != Some(&own) {
        let fresh = folder.join("rustc-with-checks.new");
        fs::copy(env::current_exe()?, &fresh)?;
        fs::rename(&fresh, &copy)?;
    }
    cargo.env("RUSTC_WORKSPACE_WRAPPER", copy);
    cargo.env(ROLE, if clippy { WITH_CLIPPY } else { "" }).env(DENY_WARNINGS.0, DENY_WARNINGS.1);
    Ok(())
}

/// Compiles as rustc if this program was called as such.
pub(crate) fn as_rustc() -> Option<ExitCode> {
    let role = env::var_os(ROLE)?;
    let mut args = env::args_os().skip(1);
    let rustc = args.next()?;
    let args: Vec<OsString> = args.collect();
    let done = compile(&rustc, &args, role == WITH_CLIPPY);
    Some(done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    }))
}

fn compile(rustc: &OsStr, args: &[OsString], clippy: bool) -> Result<ExitCode> {
    let mut compiler = if clippy {
        let mut driver = Command::new("clippy-driver");
        driver.arg(rustc);
        driver
    } else {
        Command::new(rustc)
    };
    let compiled = compiler.args(args).status().context("the compiler can't be started")?;
    if !compiled.success() {
        return Ok(code_of(compiled));
    }
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let Some(documented) = documented(&words, env::var_os("CARGO_BIN_NAME").is_some()) else {
        return Ok(ExitCode::SUCCESS);
    };
    let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| beside(rustc, "rustdoc"));
    let mut rustdoc = Command::new(rustdoc);
    rustdoc.args(documented).args(["-D", "warnings", "--out-dir"]).arg(root().join(FOLDER).join("doc"));
    Ok(code_of(rustdoc.status().context("rustdoc can't be started")?))
}

/// The program `name` of the same toolchain as `rustc`.
fn beside(rustc: &OsStr, name: &str) -> OsString {
    match Path::new(rustc).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => PathBuf::from(folder).join(name).into_os_string(),
        _ => name.into(),
    }
}

fn code_of(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The arguments of rustdoc for a crate that rustc is called for with `args`. None for crates without documentation of
/// their own (tests, benchmarks, examples, build scripts, macros) and for queries such as `-vV`.
///
/// A program may be compiled only for its tests. Cargo counts an example as a program.
fn documented(args: &[&str], is_program: bool) -> Option<Vec<String>> {
    let value_of = |option: &str| args.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1]);
    let name = value_of("--crate-name")?;
    let kind = value_of("--crate-type").unwrap_or("bin");
    let source = args.iter().find(|arg| Path::new(arg).extension().is_some_and(|ending| ending == "rs"))?;
    let is_program = is_program && !Path::new(source).iter().any(|folder| folder == "examples");
    let is_library = kind != "bin" && !args.contains(&"--test");
    if name == "build_script_build" || kind == "proc-macro" || !(is_library || is_program) {
        return None;
    }
    let mut kept = vec![(*source).to_owned()];
    if is_program {
        // A program has no public interface, so cargo documents its private items, too.
        kept.extend(["--crate-type=bin", "--document-private-items"].map(str::to_owned));
    }
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if KEPT_WITH_VALUE.contains(arg) {
            kept.push((*arg).to_owned());
            kept.extend(rest.next().map(|value| (*value).to_owned()));
        } else if KEPT.iter().any(|start| arg.starts_with(start)) {
            kept.push((*arg).to_owned());
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::documented;

    const LIBRARY: [&str; 16] = [
        "--crate-name",
        "crewbell_shared",
        "--edition=2024",
        "shared/src/lib.rs",
        "--error-format=json",
        "--crate-type",
        "lib",
        "--emit=dep-info,metadata,link",
        "-C",
        "opt-level=2",
        "--warn=clippy::all",
        "--cfg",
        "feature=\"openapi\"",
        "--extern",
        "serde=target/debug/deps/libserde-1.rmeta",
        "-Cmetadata=1",
    ];

    #[test]
    fn a_library_is_documented_with_its_features_and_dependencies_and_nothing_of_the_code_generator() {
        let words = documented(&LIBRARY, false).unwrap();
        assert_eq!(
            words.join(" "),
            "shared/src/lib.rs --crate-name crewbell_shared --edition=2024 --warn=clippy::all --cfg feature=\"openapi\" \
             --extern serde=target/debug/deps/libserde-1.rmeta"
        );
    }

    #[test]
    fn what_nobody_reads_is_not_documented_but_programs_are() {
        let test = ["--crate-name", "stories", "server/tests/stories/main.rs", "--test"];
        assert_eq!(documented(&test, false), None);
        assert!(documented(&test, true).unwrap().contains(&"--crate-type=bin".to_owned()));
        assert_eq!(documented(&["--crate-name", "build_script_build", "build.rs", "--crate-type", "bin"], false), None);
        assert_eq!(documented(&["-vV"], false), None);
        let bench = ["--crate-name", "press", "server/benches/press/main.rs", "--crate-type", "bin"];
        assert_eq!(documented(&bench, false), None);
        let example = ["--crate-name", "cost", "tests/voice/examples/cost.rs", "--crate-type", "bin"];
        assert_eq!(documented(&example, true), None);
    }
}
