//! Programs installed as Python packages, each in a virtual environment of its own under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::run::{find, output, root};

/// The marker file of a failed installation, which isn't retried at each start.
const REFUSED: &str = "refused";

/// An optional package.
pub(crate) struct Package {
    /// Its display name and its purpose.
    pub(crate) name: &'static str,
    /// Its folder, relative to the root.
    pub(crate) folder: &'static str,
    /// Its requirements for pip.
    pub(crate) requirements: &'static [&'static str],
    /// Whether it is installed and works.
    pub(crate) works: fn(&Path) -> bool,
    /// The consequence if it is missing.
    pub(crate) without: &'static str,
}

impl Package {
    /// The path of the program `name` in the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        root().join(self.folder).join("bin").join(name)
    }

    /// Installs the package if it is missing, and prints the result.
    pub(crate) fn offer(&self) {
        let folder = root().join(self.folder);
        if folder.join(REFUSED).exists() || (self.works)(&folder) {
            return;
        }
        eprintln!("Asking PyPI for {} …", self.name);
        if let Err(error) = self.bring(&folder) {
            let why = format!("{error:#}");
            let last = why.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            eprintln!("It can't be had from here ({last}): {}. `rm -r {}` asks again.", self.without, self.folder);
            // If the marker can't be written, the installation is retried next time.
            drop(fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(REFUSED), why)));
        }
    }

    fn bring(&self, folder: &Path) -> Result<()> {
        let python = find("python3").context("there is no Python")?;
        output(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut install = Command::new(folder.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        install.args(["--timeout", "10", "--retries", "1"]).args(self.requirements);
        output(&mut install)?;
        if !(self.works)(folder) {
            anyhow::bail!("it was installed, and doesn't run");
        }
        Ok(())
    }
}
