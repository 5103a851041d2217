//! The folder of web assets that the app is built with: `frontendDist` in `tauri.conf.json`.
//!
//! A file is written only if its content changed, to avoid needless rebuilds of the app, which embeds it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{TARGET, in_root};

/// The UI's WebAssembly, under the name that wasm-bindgen gives it.
pub(super) const WASM: &str = "crewbell-ui_bg.wasm";
const SCRIPT: &str = "crewbell-ui.js";

/// Writes all files and removes others; returns the folder.
pub(super) fn assemble(script: &Path) -> Result<PathBuf> {
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("could not read {}", path.display()));
    let files = [
        ("index.html", read(in_root("ui/index.html"))?),
        ("start.js", read(in_root("ui/start.js"))?),
        ("style.css", style_sheet(&in_root("ui/src/style"))?.into_bytes()),
        (SCRIPT, read(script.join(SCRIPT))?),
        (WASM, read(script.join(WASM))?),
    ];
    let dist = in_root(TARGET).join("dist");
    fs::create_dir_all(&dist)?;
    for (name, content) in &files {
        let path = dist.join(name);
        if fs::read(&path).ok().as_ref() != Some(content) {
            fs::write(&path, content).with_context(|| format!("could not write {}", path.display()))?;
        }
    }
    for entry in fs::read_dir(&dist)? {
        let entry = entry?;
        let name = entry.file_name();
        if files.iter().all(|(known, _)| name != *known) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(dist)
}

/// The style sheets that `main.css` imports, concatenated in its order.
fn style_sheet(folder: &Path) -> Result<String> {
    let main = folder.join("main.css");
    let main = fs::read_to_string(&main).with_context(|| format!("could not read {}", main.display()))?;
    let mut sheet = String::new();
    for name in imports(&main) {
        let path = folder.join(name);
        let content = fs::read_to_string(&path).with_context(|| format!("main.css imports {}", path.display()))?;
        if imports(&content).next().is_some() {
            bail!("{} imports a style sheet; only main.css does that", path.display());
        }
        sheet.push_str(&content);
    }
    Ok(sheet)
}

/// The files named by lines such as `@import "base.css";`.
fn imports(sheet: &str) -> impl Iterator<Item = &str> {
    sheet.lines().filter_map(|line| line.trim().strip_prefix("@import \"")?.strip_suffix("\";"))
}

#[cfg(test)]
mod tests {
    use super::{imports, style_sheet};
    use crate::run::root;

    #[test]
    fn imports_are_found_in_their_order() {
        let sheet = "/* The order counts: */\n@import \"b.css\";\n\n  @import \"parts/a.css\";\np { color: red }\n";
        assert_eq!(imports(sheet).collect::<Vec<_>>(), ["b.css", "parts/a.css"]);
    }

    #[test]
    fn every_style_sheet_of_the_face_is_in_the_one_that_is_shipped() {
        let folder = root().join("ui/src/style");
        let sheet = style_sheet(&folder).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "css") && !path.ends_with("main.css") {
                assert!(sheet.contains(&std::fs::read_to_string(&path).unwrap()), "{} is in no import", path.display());
            }
        }
    }
}
