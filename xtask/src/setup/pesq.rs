//! PESQ (ITU-T P.862.2), by which calls are scored: a Python package that is built here, in a folder of its own under `target/`.
//!
//! Nothing fails without it: the programs that print scores print "-" then.

use std::{fs, process::Command};

use anyhow::{Context, Result};

use crate::run::{find, output, root, succeeds};

/// Where it goes; `src-tauri/voice/examples/quality/pesq.rs` looks for it there.
const FOLDER: &str = "target/pesq";
/// What is there when it could not be had: it isn't asked for again at each start.
const REFUSED: &str = "refused";
/// 0.0.4 is what the figures in `docs/performance.md` were made with. What it needs (`numpy`) comes in the newest version.
const PACKAGE: &str = "pesq==0.0.4";

/// Brings it if it isn't there and can be had; says what became of that.
pub(super) fn offer() {
    let folder = root().join(FOLDER);
    let python = folder.join("bin/python");
    if folder.join(REFUSED).exists() || succeeds(Command::new(&python).args(["-c", "import pesq"])) {
        return;
    }
    eprintln!("Asking PyPI for PESQ, by which calls are scored …");
    if let Err(error) = bring() {
        let why = format!("{error:#}");
        let last = why.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        eprintln!("It can't be had from here ({last}): calls are scored without it. `rm -r {FOLDER}` asks again.");
        // Asked again, if not even that can be written.
        drop(fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(REFUSED), why)));
    }
}

/// A Python of its own, with the package compiled for it: that takes a C compiler and Python's headers.
fn bring() -> Result<()> {
    let folder = root().join(FOLDER);
    let python = find("python3").context("there is no Python")?;
    output(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["--timeout", "10", "--retries", "1", PACKAGE, "numpy"]);
    output(&mut install)?;
    output(Command::new(folder.join("bin/python")).args(["-c", "import pesq"]))?;
    Ok(())
}
