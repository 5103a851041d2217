//! Child processes that end with the demo: by SIGTERM at an orderly end, by the kernel if the demo is killed.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child as Process, Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{SigSet, Signal, killpg},
    unistd::Pid,
};

use crate::run::{find, words};

/// Time limit for a program's end: the server finishes its work, then stops its database.
const PATIENCE: Duration = Duration::from_secs(20);

/// Poll interval for the end of a program.
const LOOK: Duration = Duration::from_millis(20);

/// The signals that end the demo.
pub(super) fn endings() -> SigSet {
    SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])
}

/// A running program and its descendants; ended on drop.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) process: Process,
    ended: Option<ExitStatus>,
}

/// Makes a command that the kernel ends with this process, if `setpriv` is there (util-linux, so on every Linux).
pub(super) fn command(program: &Path) -> Command {
    let Some(setpriv) = cfg!(target_os = "linux").then(|| find("setpriv")).flatten() else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args([OsStr::new("--pdeathsig"), OsStr::new("TERM"), OsStr::new("--"), program.as_os_str()]);
    command
}

impl Child {
    /// Starts a program in a process group of its own, so that Ctrl-C reaches only this process, which ends all in
    /// order.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        // A program inherits the signal mask.
        endings().thread_unblock()?;
        let started = command.process_group(0).spawn();
        endings().thread_block()?;
        let process = started.with_context(|| format!("could not start `{}`", words(command)))?;
        Ok(Self { process, ended: None })
    }

    /// The exit status, once it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait()?;
        }
        Ok(self.ended)
    }

    fn signal(&self, signal: Signal) {
        if let Ok(id) = i32::try_from(self.process.id()) {
            // It fails if the whole group has ended already.
            let _ = killpg(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let begun = Instant::now();
        while matches!(self.ended(), Ok(None)) && begun.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
        // Kills what is left of the group.
        self.signal(Signal::SIGKILL);
        let _ = self.process.wait();
    }
}
