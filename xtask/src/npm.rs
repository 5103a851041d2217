//! Tools installed from npm, each in a pinned version and a folder of its own under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::run::{self, find, output, root};

/// An npm tool: its package, its version, the name of its program.
pub(crate) struct Tool {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) program: &'static str,
}

impl Tool {
    /// The path of the tool's program, installed first if this version is missing.
    ///
    /// # Errors
    /// Returns an error if npm is missing, or can't install the package because its registry is unreachable.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        let folder = root().join("target/npm").join(self.program);
        let program = folder.join("node_modules/.bin").join(self.program);
        if !self.is_installed(&program) {
            fs::create_dir_all(&folder)?;
            let npm = find("npm").context("npm is not installed")?;
            let mut install = Command::new(npm);
            install.args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"]).arg(&folder);
            install.arg(format!("{}@{}", self.package, self.version));
            run::run(&mut install).with_context(|| format!("npm could not install {}", self.package))?;
        }
        Ok(program)
    }

    /// Whether the program exists in this version. Binaryen omits trailing zeros: `wasm-opt version 132 (version_132)`
    /// is its 132.0.0.
    fn is_installed(&self, program: &Path) -> bool {
        let said = output(Command::new(program).arg("--version")).unwrap_or_default();
        let short = self.version.trim_end_matches(".0");
        said.split_whitespace().any(|word| word == self.version || word == short)
    }
}
