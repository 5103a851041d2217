//! Prepares what `tauri::generate_context!` puts into the program: its settings, rights, icons and the face.

use std::{fs, path::Path};

/// The face as `cargo xtask ui` builds it; `frontendDist` in `tauri.conf.json`.
const FACE: &str = "target/web/dist";
const CAPABILITIES: &str = "./src-tauri/capabilities/**/*";

fn main() {
    // A checkout in which the face was not built yet can still be checked, linted and tested.
    let page = Path::new(FACE).join("index.html");
    if !page.exists() {
        let placeholder = "<!doctype html><title>Crewbell</title><p>The face is not built yet: cargo xtask ui\n";
        if let Err(error) = fs::create_dir_all(FACE).and_then(|()| fs::write(&page, placeholder)) {
            println!("cargo::error=could not write {}: {error}", page.display());
        }
    }
    println!("cargo::rerun-if-changed={FACE}");
    println!("cargo::rerun-if-changed=src-tauri/capabilities");
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().capabilities_path_pattern(CAPABILITIES)) {
        println!("cargo::error={error:#}");
    }
}
