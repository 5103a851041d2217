//! Programs that come as Python packages, each in an environment of its own under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::run::{find, output, root};

/// What is there when a package could not be had: it isn't asked for again at each start.
const REFUSED: &str = "refused";

/// A package that nothing fails without.
pub(crate) struct Package {
    /// What a person knows it as, and what it is for.
    pub(crate) name: &'static str,
    /// Where it goes, under the root.
    pub(crate) folder: &'static str,
    /// What pip is asked for.
    pub(crate) requirements: &'static [&'static str],
    /// Whether it is there and works.
    pub(crate) works: fn(&Path) -> bool,
    /// What follows where it can't be had.
    pub(crate) without: &'static str,
}

impl Package {
    /// The environment's program `name`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        root().join(self.folder).join("bin").join(name)
    }

    /// Brings it if it isn't there and can be had; says what became of that.
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
            // Asked again, if not even that can be written.
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
