//! Generates the page's script and makes the WebAssembly smaller.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{Profile, TARGET, dist, in_root, is_fresh};
use crate::{
    npm::Tool,
    run::{self, cargo, find, output},
};

/// The oldest wasm-opt that is known to work. Version 108 (Debian 12) confuses the tables of functions and of
/// references: it reports no error, and the program doesn't start.
const OLDEST_WASM_OPT: u32 = 132;

const BINARYEN: Tool = Tool { package: "binaryen", version: "132.0.0", program: "wasm-opt" };

/// The WebAssembly features that the compiler uses and every recent web view supports. Draft features are excluded.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Generates script and WebAssembly from the compiler's output, and returns their folder.
pub(super) fn script(profile: Profile, program: &Path) -> Result<PathBuf> {
    let folder = in_root(TARGET).join("script").join(profile.name());
    let wasm = folder.join(dist::WASM);
    if is_fresh(&wasm, program)? {
        return Ok(folder);
    }
    // Written to another folder first, so that an interrupted build leaves nothing that looks complete.
    let draft = folder.with_extension("draft");
    drop(fs::remove_dir_all(&draft));
    fs::create_dir_all(&draft)?;
    run::run(
        cargo()
            .args(["run", "--quiet", "--locked", "--package", "xtask-bindgen", "--"])
            .args([program, draft.as_path()]),
    )?;
    if profile == Profile::Small {
        optimise(&draft.join(dist::WASM))?;
    }
    drop(fs::remove_dir_all(&folder));
    fs::rename(&draft, &folder).with_context(|| format!("could not move the script to {}", folder.display()))?;
    Ok(folder)
}

/// The optimisation passes. Flattening expressions and rebuilding control flow between two rounds makes the compressed
/// program 0.6 % smaller than one round.
const SMALLER: [&str; 5] = ["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz"];

/// Makes the WebAssembly some 8 % smaller with Binaryen's wasm-opt. If none is new enough, or it fails, the file stays
/// as it is.
fn optimise(wasm: &Path) -> Result<()> {
    let wasm_opt = match wasm_opt() {
        Ok(wasm_opt) => wasm_opt,
        Err(error) => {
            eprintln!("Note: without wasm-opt the face is some 8 % larger: {error:#}");
            return Ok(());
        }
    };
    let smaller = wasm.with_extension("smaller");
    let mut command = Command::new(wasm_opt);
    command.args(SMALLER).args(FEATURES).arg(wasm).arg("-o").arg(&smaller);
    match output(&mut command) {
        Ok(_) => fs::rename(&smaller, wasm)?,
        Err(error) => {
            eprintln!("Note: this wasm-opt can't read the face, which stays as it is: {error}");
            drop(fs::remove_file(&smaller));
        }
    }
    Ok(())
}

/// The machine's own wasm-opt if it is new enough, otherwise the one from npm.
fn wasm_opt() -> Result<PathBuf> {
    let own = find("wasm-opt").filter(|own| {
        let version = output(Command::new(own).arg("--version")).ok().and_then(|said| number(&said));
        version.is_some_and(|version| version >= OLDEST_WASM_OPT)
    });
    own.map_or_else(|| BINARYEN.program(), Ok)
}

/// The version, such as 132 in `wasm-opt version 132 (version_132)`.
fn number(version: &str) -> Option<u32> {
    version.split_whitespace().find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_version_of_wasm_opt_is_a_number() {
        assert_eq!(number("wasm-opt version 132 (version_132)\n"), Some(132));
        assert_eq!(number("wasm-opt version 108"), Some(108));
        assert_eq!(number("unheard of"), None);
    }
}
