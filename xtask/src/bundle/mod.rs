//! `bundle`: builds the app's installable packages.
//!
//! Tauri's command line makes the packages. It is installed as a binary from npm; compiling it would take longer than
//! compiling the app. The AppImage alone is made here, because Tauri's way fetches tools from GitHub, and a machine
//! that reaches the package registries may not reach GitHub.
//!
//! - `appimage`: builds the AppImage
//! - `runtime`: its runtime
//! - `appdir`: its content
//! - `libraries`, `desktop`: which of the system's libraries are included, and which are not
//! - `relocate`: replacement of paths that are compiled into the system's libraries
//! - `copyright`: copyright notices

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

/// Tauri's command line, in the version of the `tauri` crate that the app is built with. The package pins its one
/// dependency, the program for this system, to exactly its own version.
const CLI: Tool = Tool { package: "@tauri-apps/cli", version: "2.12.5", program: "tauri" };

const APPIMAGE: &str = "appimage";

/// Builds UI and app for release, and packages them. `kinds`: `deb`, `appimage`, `rpm`, `dmg`, `msi`, …
///
/// # Errors
/// Returns an error if the app does not build, or a package could not be made.
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

/// Puts the AppImage last, because it is made from the content of the .deb.
fn order(kinds: &[String]) -> Vec<&str> {
    let mut kinds = kinds.iter().map(String::as_str).collect::<Vec<_>>();
    kinds.sort_by_key(|kind| *kind == APPIMAGE);
    kinds
}

/// Runs Tauri to build the app and make one kind of package.
fn pack(tauri: &Path, kind: &str, debug: bool) -> Result<()> {
    // It starts cargo, which needs the same environment.
    let mut command = run::cargo_at(tauri);
    command.args(["build", "--ci", "--bundles", kind]);
    if debug {
        command.arg("--debug");
    }
    // The app is not among the workspace's default members.
    command.args(["--", "--locked", "--package", "crewbell"]);
    run::run(&mut command)
}

fn target() -> PathBuf {
    run::root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The content of this version's .deb, which Tauri leaves beside it: program, desktop entry, icons.
fn unpacked_deb(folder: &Path) -> Result<PathBuf> {
    let version = format!("_{}_", env!("CARGO_PKG_VERSION"));
    let entries = fs::read_dir(folder.join("deb")).context("Tauri made no .deb")?;
    let folders = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().contains(&version));
    let unpacked = folders.map(|entry| entry.path().join("data")).find(|data| data.join("usr/bin").is_dir());
    unpacked.with_context(|| format!("Tauri left no unpacked .deb in {}", folder.display()))
}

/// The packages in a folder: its files, without the folders of intermediate products.
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
