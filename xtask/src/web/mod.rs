//! `ui`: builds the UI into the folder that the app is built with.
//!
//! It has four steps, each of which is skipped if its sources did not change:
//! 1. `compiler`: cargo builds the crate `crewbell-ui` to WebAssembly, in a target folder of its own
//! 2. `script`: wasm-bindgen generates the page's script, and wasm-opt makes the WebAssembly smaller
//! 3. `dist`: page, style sheet, script and WebAssembly are copied into one folder, under stable names
//! 4. the size is printed

mod compiler;
mod dist;
mod script;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;

pub(crate) use compiler::{have_compiler, offer_rustup};

use crate::{
    run,
    setup::{self, Purpose},
};

/// The folder of the UI's build: separate from `target/debug`, because another compiler may be used.
const TARGET: &str = "target/web";
const TRIPLE: &str = "wasm32-unknown-unknown";

/// The build profile of the UI, from the root manifest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build: for development and tests.
    Quick,
    /// Small: for release.
    Small,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "web-dev",
            Self::Small => "web",
        }
    }
}

/// Builds the UI into `target/web/dist`, and prints its size.
///
/// # Errors
/// Returns an error if there is no compiler for WebAssembly, or the UI does not compile.
pub(crate) fn ui(profile: Profile) -> Result<PathBuf> {
    setup::setup(Purpose::Face)?;
    let program = compiler::compile(profile)?;
    let made = script::script(profile, &program)?;
    let dist = dist::assemble(&made)?;
    let wasm = dist.join(dist::WASM);
    println!("{}: {}", dist.display(), size(&wasm)?);
    Ok(dist)
}

/// The size of a file: raw, compressed as in the app (Tauri compresses embedded files with Brotli, at quality 9), and
/// by gzip.
fn size(file: &Path) -> Result<String> {
    let raw = kilobytes(file.metadata()?.len());
    let packers = [("brotli", ["--quality=9", "--stdout"]), ("gzip", ["-9", "--stdout"])];
    let packed = packers.into_iter().filter_map(|(name, args)| {
        let packed = Command::new(name).args(args).arg(file).stderr(Stdio::null()).output().ok()?;
        packed.status.success().then(|| format!(", {} packed by {name}", kilobytes(packed.stdout.len() as u64)))
    });
    Ok(format!("{raw} of WebAssembly{}", packed.collect::<String>()))
}

fn kilobytes(bytes: u64) -> String {
    format!("{} kB", bytes.div_ceil(1000))
}

/// Whether `made` exists and is not older than `source`.
fn is_fresh(made: &Path, source: &Path) -> Result<bool> {
    let Ok(made) = made.metadata() else {
        return Ok(false);
    };
    Ok(made.modified()? >= source.metadata()?.modified()?)
}

/// A path in the workspace, the working directory of commands.
fn in_root(path: &str) -> PathBuf {
    run::root().join(path)
}
