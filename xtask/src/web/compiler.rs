//! The choice of a WebAssembly compiler, and its arguments.
//!
//! It is rustup's with its target, if installed or installable; else Debian's, which has only the sources of the
//! standard library for this target. (A `rust-toolchain.toml` that names the target would make every build on a ship
//! access the internet.)
//!
//! For the release build of the UI the order is reversed: compiling the standard library allows it to be small and
//! without panic messages.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::{Profile, TARGET, TRIPLE, in_root};
use crate::run::{self, cargo, cargo_at, find, output};

/// Time limit for rustup if Debian's compiler is the fallback: without a network it retries for minutes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time limit otherwise: it fetches some 30 MB.
const LONG_PATIENCE: Duration = Duration::from_mins(2);

/// The file that records that rustup could not install the target, and for which compiler.
const REFUSED: &str = "target/web/rustup-could-not";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/std";

/// Unstable flags that make the release UI smaller, beside its profile: no source locations, no `Debug` and no panic
/// messages, since a panic ends the program in any case.
const SMALLER: [&str; 4] =
    ["-Zlocation-detail=none", "-Zfmt-debug=none", "-Zunstable-options", "-Cpanic=immediate-abort"];

/// A compiler for WebAssembly.
enum Compiler {
    /// The toolchain that builds everything else, too.
    Own,
    /// Debian's `rustc-web`, which also builds the standard library, and a matching linker.
    Debian { linker: PathBuf },
}

/// Whether this machine can build the UI.
pub(crate) fn have_compiler() -> bool {
    present().is_some()
}

/// Installs the target with rustup if it is missing; records a failure.
pub(crate) fn offer_rustup() -> Result<()> {
    let version = output(rustc().arg("-vV"))?;
    let refused = in_root(REFUSED);
    let again = fs::read_to_string(&refused).is_ok_and(|before| before == version);
    if own_target_is_there() || again || find("rustup").is_none() {
        return Ok(());
    }
    let patience = if debian().is_some() { PATIENCE } else { LONG_PATIENCE };
    eprintln!("Asking rustup for the target {TRIPLE} ({} s at most) …", patience.as_secs());
    let mut add = Command::new("rustup");
    add.args(["target", "add", TRIPLE]).stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null());
    if succeeds_within(&mut add, patience)? {
        eprintln!("It is there now.");
    } else {
        eprintln!("It can't be had from here; the face can also be built with Debian's compiler.");
        fs::create_dir_all(in_root(TARGET))?;
        fs::write(&refused, version)?;
    }
    Ok(())
}

/// Compiles the UI and returns the path of the WebAssembly.
pub(super) fn compile(profile: Profile) -> Result<PathBuf> {
    let mut cargo = match preferred(profile) {
        Some(Compiler::Own) => own_cargo(profile),
        Some(Compiler::Debian { linker }) => debian_cargo(&linker, profile)?,
        None => bail!(
            "there is no compiler for WebAssembly: `rustup target add {TRIPLE}` gets it where rustup's server is in \
             reach; on Debian, `cargo xtask setup` installs another"
        ),
    };
    cargo.args(["--locked", "--package", "crewbell-ui", "--profile", profile.name()]);
    cargo.args(["--target", TRIPLE, "--target-dir", TARGET]);
    run::run(&mut cargo)?;
    Ok(in_root(TARGET).join(TRIPLE).join(profile.name()).join("crewbell-ui.wasm"))
}

fn present() -> Option<Compiler> {
    if own_target_is_there() { Some(Compiler::Own) } else { debian() }
}

fn preferred(profile: Profile) -> Option<Compiler> {
    match profile {
        Profile::Quick => present(),
        Profile::Small => debian().or_else(present),
    }
}

fn own_target_is_there() -> bool {
    output(rustc().args(["--print", "target-libdir", "--target", TRIPLE]))
        .is_ok_and(|folder| PathBuf::from(folder.trim()).is_dir())
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn debian() -> Option<Compiler> {
    let all_there = [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_STD].iter().all(|path| Path::new(path).exists());
    let linker = newest_linker().filter(|_| all_there)?;
    // An old release's `rustc` has the same name, but can't build this.
    let fits = output(Command::new(DEBIAN_RUSTC).arg("--version")).is_ok_and(|said| minor(&said) >= minor(needed()));
    fits.then_some(Compiler::Debian { linker })
}

/// The workspace's `rust-version`, in the format of `rustc --version`.
fn needed() -> &'static str {
    concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"))
}

/// The minor version, such as 96 in `rustc 1.96.0 (…)`.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// The `wasm-ld-NN` with the highest number: an older one can't read the output of a newer compiler.
fn newest_linker() -> Option<PathBuf> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("wasm-ld-")?.parse::<u32>().ok();
    let programs = fs::read_dir("/usr/bin").ok()?.flatten().map(|entry| entry.path());
    programs.filter(|path| number(path).is_some()).max_by_key(|path| number(path))
}

fn own_cargo(profile: Profile) -> Command {
    if profile == Profile::Small {
        eprintln!("Note: with Debian's compiler (rustc-web, cargo-web, rust-web-src, lld) the face is smaller.");
    }
    let mut cargo = cargo();
    cargo.arg("build");
    cargo
}

/// Debian's cargo, with no environment from the toolchain that runs this program.
fn debian_cargo(linker: &Path, profile: Profile) -> Result<Command> {
    let mut cargo = cargo_at(DEBIAN_CARGO);
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&path)))?;
    cargo
        .args(["build", "-Z", "build-std=std,panic_abort"])
        .env("PATH", path)
        .env("RUSTC", DEBIAN_RUSTC)
        // `build-std` is unstable; this lets a stable compiler accept it.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTDOC")
        .env_remove("LD_LIBRARY_PATH");
    if profile == Profile::Small {
        // Added to the target's flags in `.cargo/config.toml`, which `RUSTFLAGS` would replace.
        cargo.args(["-Z", "build-std-features=optimize_for_size"]);
        cargo.args(["--config", &format!("target.{TRIPLE}.rustflags={SMALLER:?}")]);
    }
    Ok(cargo)
}

/// Whether `command` succeeds within a time limit; it is killed after that.
fn succeeds_within(command: &mut Command, limit: Duration) -> Result<bool> {
    let mut child = command.spawn()?;
    let began = Instant::now();
    while began.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        thread::sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::{
        process::Command,
        time::{Duration, Instant},
    };

    use super::{minor, needed, succeeds_within};

    #[test]
    fn compilers_are_compared_by_their_minor_version() {
        assert_eq!(minor("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"), Some(96));
        assert!(minor("rustc 1.63.0") < minor(needed()));
        assert_eq!(minor("no version at all"), None);
    }

    #[test]
    fn a_program_that_hangs_is_ended_and_counts_as_failed() {
        let began = Instant::now();
        assert!(!succeeds_within(Command::new("sleep").arg("60"), Duration::from_millis(200)).unwrap());
        assert!(began.elapsed() < Duration::from_secs(30));
        assert!(succeeds_within(&mut Command::new("true"), Duration::from_secs(30)).unwrap());
        assert!(!succeeds_within(&mut Command::new("false"), Duration::from_secs(30)).unwrap());
    }
}
