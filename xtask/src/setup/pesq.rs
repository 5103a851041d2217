//! PESQ (ITU-T P.862.2), the score of call quality: a Python package that is compiled on installation, with a C
//! compiler and Python's headers.

use std::process::Command;

use super::python::Package;
use crate::run::succeeds;

/// The package; without it the programs that print scores print "-".
pub(super) const PESQ: Package = Package {
    name: "PESQ, by which calls are scored",
    // `src-tauri/voice/examples/quality/pesq.rs` expects it there.
    folder: "target/pesq",
    // The figures in `docs/performance.md` were made with 0.0.4. Its dependencies come in the newest version.
    requirements: &["pesq==0.0.4", "numpy"],
    works: |folder| succeeds(Command::new(folder.join("bin/python")).args(["-c", "import pesq"])),
    without: "calls are scored without it",
};
