//! Tools that come ready-made from npm, each in a pinned version and a folder of its own under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::run::{self, find, output, root};

/// A tool: the package it is in, its version there, the name of its program.
pub(crate) struct Tool {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) program: &'static str,
}

impl Tool {
    /// The tool's program, installed when it isn't there in this version.
    ///
    /// # Errors
    /// When there is no npm, or it can't install the package: its registry is out of reach.
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

    /// Whether the program is there and says that it is this version. Binaryen leaves out what is zero:
    /// `wasm-opt version 132 (version_132)` is its 132.0.0.
    fn is_installed(&self, program: &Path) -> bool {
        let said = output(Command::new(program).arg("--version")).unwrap_or_default();
        let short = self.version.trim_end_matches(".0");
        said.split_whitespace().any(|word| word == self.version || word == short)
    }
}
