//! `bundle`: what the app is installed from.
//!
//! Tauri's own command line makes it. That comes ready-made from npm; compiled from its sources it
//! would take longer than the app.
//! For an AppImage it fetches tools from GitHub: where those are out of reach, the other packages
//! are made all the same, and it is said.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{
    npm::Tool,
    run,
    setup::{self, Purpose},
    web::{self, Profile},
};

/// Tauri's command line, in the version of the `tauri` that the app is built with. The package names its
/// one dependency, the program for this system, at exactly its own version.
const CLI: Tool = Tool { package: "@tauri-apps/cli", version: "2.12.5", program: "tauri" };

/// Builds face and app as they are shipped, and packs them. `kinds`: `deb`, `appimage`, `rpm`, `dmg`, `msi`, …
///
/// # Errors
/// When the app does not build, or not one of the packages could be made.
pub(crate) fn bundle(kinds: &[String], debug: bool) -> Result<()> {
    setup::setup(Purpose::Bundle)?;
    web::ui(Profile::Small)?;
    let tauri = CLI.program()?;

    let mut failures = Vec::new();
    for kind in kinds {
        let mut command = Command::new(&tauri);
        command.args(["build", "--ci", "--bundles", kind]);
        if debug {
            command.arg("--debug");
        }
        // The app is not among the packages that a plain `cargo build` builds.
        command.args(["--", "--locked", "--package", "crewbell"]);
        // Tools that are AppImages themselves run without FUSE, which a container lacks.
        command.env("APPIMAGE_EXTRACT_AND_RUN", "1").env("SQLX_OFFLINE", "true");
        if let Err(error) = run::run(&mut command) {
            eprintln!("The {kind} could not be made: {error:#}");
            failures.push(kind.as_str());
        }
    }

    let folder = target().join(if debug { "debug" } else { "release" }).join("bundle");
    let mut made = 0;
    for kind in kinds.iter().filter(|kind| !failures.contains(&kind.as_str())) {
        for package in packages(&folder.join(kind))? {
            println!("{} ({} kB)", package.display(), package.metadata()?.len().div_ceil(1000));
            made += 1;
        }
    }
    if made == 0 {
        bail!("nothing was made");
    }
    if !failures.is_empty() {
        println!("Not made: {} (the reasons are above).", failures.join(", "));
        if failures.contains(&"appimage") {
            println!("Tauri fetches the tools for an AppImage from github.com, which must be in reach.");
        }
    }
    Ok(())
}

fn target() -> PathBuf {
    run::root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The packages in a folder: its files, without what they were made of.
fn packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}
