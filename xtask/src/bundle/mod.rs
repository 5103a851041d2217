//! `bundle`: what the app is installed from.
//!
//! Tauri's own command line makes the packages. It comes ready-made from npm; compiled from its sources
//! it would take longer than the app. Only the AppImage is made here: for that, Tauri's fetches tools
//! from GitHub, and a machine that reaches the package registries need not reach GitHub.
//!
//! - `appimage`: the way from the app to one file that runs
//! - `runtime`: what that file starts with
//! - `appdir`: what is inside
//! - `libraries`, `desktop`: which of the system's libraries are taken along, and which are left
//! - `relocate`: paths that were fixed when the system's libraries were compiled
//! - `copyright`: whose work it is

mod appdir;
mod appimage;
mod copyright;
mod desktop;
mod libraries;
mod relocate;
mod runtime;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    npm::Tool,
    run,
    setup::{self, Purpose},
    web::{self, Profile},
};

/// Tauri's command line, in the version of the `tauri` that the app is built with. The package names its
/// one dependency, the program for this system, at exactly its own version.
const CLI: Tool = Tool { package: "@tauri-apps/cli", version: "2.12.5", program: "tauri" };

const APPIMAGE: &str = "appimage";

/// Builds face and app as they are shipped, and packs them. `kinds`: `deb`, `appimage`, `rpm`, `dmg`, `msi`, …
///
/// # Errors
/// When the app does not build, or not one of the packages could be made.
pub(crate) fn bundle(kinds: &[String], debug: bool) -> Result<()> {
    setup::setup(Purpose::Bundle)?;
    if kinds.iter().any(|kind| kind == APPIMAGE) {
        setup::setup(Purpose::AppImage)?;
    }
    web::ui(Profile::Small)?;
    let tauri = CLI.program()?;
    let folder = target().join(if debug { "debug" } else { "release" }).join("bundle");

    let mut made = Vec::new();
    let mut failures = Vec::new();
    for kind in order(kinds) {
        let done = if kind == APPIMAGE {
            let deb = if failures.contains(&"deb") {
                Err(anyhow!("it is made of the .deb, which could not be made"))
            } else if made.iter().any(|(kind, _)| *kind == "deb") {
                Ok(())
            } else {
                pack(&tauri, "deb", debug)
            };
            deb.and_then(|()| appimage::appimage(&unpacked_deb(&folder)?, &folder.join(APPIMAGE)))
        } else {
            pack(&tauri, kind, debug)
        };
        match done.and_then(|()| packages_in(&folder.join(kind))) {
            Ok(packages) => made.push((kind, packages)),
            Err(error) => {
                eprintln!("The {kind} could not be made: {error:#}");
                failures.push(kind);
            }
        }
    }

    for package in made.iter().flat_map(|(_, packages)| packages) {
        println!("{} ({} kB)", package.display(), package.metadata()?.len().div_ceil(1000));
    }
    if made.iter().all(|(_, packages)| packages.is_empty()) {
        bail!("nothing was made");
    }
    if !failures.is_empty() {
        println!("Not made: {} (the reasons are above).", failures.join(", "));
    }
    Ok(())
}

/// The AppImage last: it is made of what is in the .deb.
fn order(kinds: &[String]) -> Vec<&str> {
    let mut kinds = kinds.iter().map(String::as_str).collect::<Vec<_>>();
    kinds.sort_by_key(|kind| *kind == APPIMAGE);
    kinds
}

/// Has Tauri build the app and make one kind of package.
fn pack(tauri: &Path, kind: &str, debug: bool) -> Result<()> {
    // It starts cargo, which wants the same surroundings from whoever starts it.
    let mut command = run::cargo_at(tauri);
    command.args(["build", "--ci", "--bundles", kind]);
    if debug {
        command.arg("--debug");
    }
    // The app is not among the packages that a plain `cargo build` builds.
    command.args(["--", "--locked", "--package", "crewbell"]);
    run::run(&mut command)
}

fn target() -> PathBuf {
    run::root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// What Tauri packed into this version's .deb, which it leaves beside it: program, desktop entry, icons.
fn unpacked_deb(folder: &Path) -> Result<PathBuf> {
    let version = format!("_{}_", env!("CARGO_PKG_VERSION"));
    let entries = fs::read_dir(folder.join("deb")).context("Tauri made no .deb")?;
    let folders = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().contains(&version));
    let unpacked = folders.map(|entry| entry.path().join("data")).find(|data| data.join("usr/bin").is_dir());
    unpacked.with_context(|| format!("Tauri left no unpacked .deb in {}", folder.display()))
}

/// The packages in a folder: its files, without what they were made of.
fn packages_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn the_appimage_is_made_after_what_it_is_made_of() {
        assert_eq!(order(&["appimage".to_owned(), "deb".to_owned()]), ["deb", "appimage"]);
    }
}
