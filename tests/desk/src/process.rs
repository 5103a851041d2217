//! Programs that end with the value that stands for them.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// A running program with all that it has started; ended on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it prints goes to a file in `folder`.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = folder.join(format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log)?;
        command.stdout(out.try_clone()?).stderr(out);
        Self::start_with_output(command, &log)
    }

    /// The same, when it was already said where what it prints goes.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_with_output(command: &mut Command, log: &Path) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .with_context(|| {
                format!("could not start {}; `cargo xtask setup` installs it", command.get_program().display())
            })?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// How it has ended, when it has.
    ///
    /// # Errors
    /// When the system doesn't say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// What it has printed.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // It fails when all of it has ended already.
            let _gone = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        drop(self.child.wait());
    }
}
