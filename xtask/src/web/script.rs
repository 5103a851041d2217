//! The page's script, and the program without what the web view doesn't need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{Profile, TARGET, dist, in_root, is_fresh};
use crate::run::{self, cargo, find, output};

/// Makes script and program out of what the compiler made, and returns the folder that they are in.
pub(super) fn script(profile: Profile, program: &Path) -> Result<PathBuf> {
    let folder = in_root(TARGET).join("script").join(profile.name());
    let wasm = folder.join(dist::WASM);
    if is_fresh(&wasm, program)? {
        return Ok(folder);
    }
    // Written elsewhere first: a build that is broken off leaves nothing that looks finished.
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

/// Makes the program smaller with Binaryen's wasm-opt. Without it, or with one that is too old for
/// what this compiler writes, the program stays as it is.
fn optimise(wasm: &Path) -> Result<()> {
    let Some(wasm_opt) = find("wasm-opt") else {
        eprintln!("Note: with wasm-opt (Debian's package binaryen) the face would become smaller.");
        return Ok(());
    };
    let smaller = wasm.with_extension("smaller");
    let mut command = Command::new(wasm_opt);
    command.args(["-Oz", "--all-features", "--strip-producers"]).arg(wasm).arg("-o").arg(&smaller);
    match output(&mut command) {
        Ok(_) => fs::rename(&smaller, wasm)?,
        Err(error) => {
            eprintln!("Note: this wasm-opt can't read the face, which stays as it is: {error}");
            drop(fs::remove_file(&smaller));
        }
    }
    Ok(())
}
