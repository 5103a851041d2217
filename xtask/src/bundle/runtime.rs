//! The AppImage runtime: the program at the start of the file, which mounts or unpacks the rest and runs it.
//!
//! It is AppImageKit's `runtime-x86_64` of release 13 (MIT), byte for byte. Cargo fetches it within the crate
//! `appimage`, of which nothing else is used, and its hash is checked here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::run::{cargo, output};

/// The runtime's SHA-256 on AppImageKit's page of release 13.
const SHA256: &str = "328e0d745c5c6817048c27bc3e8314871703f8f47ffa81a37cb06cd95a94b323";

/// The only architecture for which a runtime is available.
const MACHINE: &str = "x86_64";

/// The manifest of a package that is never built, only used for fetching. The crate's own dependencies are a hundred
/// crates that aren't needed, so an empty crate replaces them.
const MANIFEST: &str = r#"[package]
name = "runtime"
version = "0.0.0"
edition = "2024"

[lib]
path = "empty.rs"

[dependencies]
appimage = "=0.4.0"

[patch.crates-io]
xcommon = { path = "xcommon" }

[workspace]
"#;

const STAND_IN: &str = r#"[package]
name = "xcommon"
version = "0.3.0"
edition = "2024"

[lib]
path = "../empty.rs"
"#;

/// Returns the runtime's bytes, fetched by way of `folder`.
///
/// # Errors
/// Returns an error if there is none for this machine, it can't be fetched, or its hash is wrong.
pub(super) fn runtime(folder: &Path) -> Result<Vec<u8>> {
    if env::consts::ARCH != MACHINE {
        bail!(
            "what an AppImage starts with can be had from cargo's registry for {MACHINE} alone, and this machine is {}; \
             the other packages don't need it",
            env::consts::ARCH
        );
    }
    let file = fetch(folder).context(
        "cargo could not fetch the crate appimage 0.4.0, which carries what an AppImage starts with; \
         is cargo's registry in reach?",
    )?;
    let bytes = fs::read(&file).with_context(|| format!("could not read {}", file.display()))?;
    checked(bytes).with_context(|| format!("{} can't be used", file.display()))
}

fn fetch(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder.join("xcommon"))?;
    fs::write(folder.join("empty.rs"), "")?;
    fs::write(folder.join("xcommon/Cargo.toml"), STAND_IN)?;
    let manifest = folder.join("Cargo.toml");
    fs::write(&manifest, MANIFEST)?;
    let mut command: Command = cargo();
    let said = output(command.args(["metadata", "--format-version", "1", "--manifest-path"]).arg(&manifest))?;
    let metadata: Value = serde_json::from_str(&said).context("cargo's answer is no JSON")?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let package = packages.iter().find(|package| package["name"] == "appimage");
    let source = package.and_then(|package| Path::new(package["manifest_path"].as_str()?).parent());
    Ok(source.context("cargo does not say where it put the crate")?.join("assets/runtime-x86_64"))
}

/// Returns the bytes if their hash is the runtime's.
fn checked(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    if hash != SHA256 {
        bail!("its SHA-256 is {hash}, and should be {SHA256}: somebody changed it, or it was damaged on its way");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_is_not_the_known_one_is_refused() {
        let error = checked(b"\x7fELF, but another".to_vec()).unwrap_err().to_string();
        assert!(error.contains("should be 328e0d74"), "{error}");
    }
}
