//! PESQ (ITU-T P.862.2), by which calls are scored: a Python package that is built here, with a C compiler and Python's
//! headers.

use std::process::Command;

use super::python::Package;
use crate::run::succeeds;

/// Without it the programs that print scores print "-".
pub(super) const PESQ: Package = Package {
    name: "PESQ, by which calls are scored",
    // `src-tauri/voice/examples/quality/pesq.rs` looks for it there.
    folder: "target/pesq",
    // 0.0.4 is what the figures in `docs/performance.md` were made with. What it needs comes in the newest version.
    requirements: &["pesq==0.0.4", "numpy"],
    works: |folder| succeeds(Command::new(folder.join("bin/python")).args(["-c", "import pesq"])),
    without: "calls are scored without it",
};
