//! `ui`: the face, from Rust to the folder that the app is built with.
//!
//! Four steps, each of which does nothing when its sources did not change:
//! 1. `compiler`: cargo builds the crate `crewbell-ui` to WebAssembly, in a target folder of its own
//! 2. `script`: wasm-bindgen makes the page's script out of it, and wasm-opt a smaller program
//! 3. `dist`: page, style sheet, script and program are put into one folder, under names that stay
//! 4. the size is told

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

/// Where everything of the face's build is: apart from `target/debug`, because it can be another compiler's.
const TARGET: &str = "target/web";
const TRIPLE: &str = "wasm32-unknown-unknown";

/// How the face is built: a profile of the root manifest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build: for development and tests.
    Quick,
    /// Small: as it is shipped.
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

/// Builds the face into `target/web/dist`, and says how large it is.
///
/// # Errors
/// When there is no compiler for WebAssembly, or the face does not compile.
pub(crate) fn ui(profile: Profile) -> Result<PathBuf> {
    setup::setup(Purpose::Face)?;
    let program = compiler::compile(profile)?;
    let made = script::script(profile, &program)?;
    let dist = dist::assemble(&made)?;
    let wasm = dist.join(dist::WASM);
    println!("{}: {}", dist.display(), size(&wasm)?);
    Ok(dist)
}

/// The size of a file: raw, packed as the app carries it (Tauri packs what it embeds with Brotli, at quality 9),
/// and packed by gzip.
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

/// Whether `made` is there and not older than `source`.
fn is_fresh(made: &Path, source: &Path) -> Result<bool> {
    let Ok(made) = made.metadata() else {
        return Ok(false);
    };
    Ok(made.modified()? >= source.metadata()?.modified()?)
}

/// A path in the workspace, which is where commands run.
fn in_root(path: &str) -> PathBuf {
    run::root().join(path)
}
