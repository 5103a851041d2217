//! Programs that end with the demo, however it ends: asked when it ends in order, by the kernel when it is killed.

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

/// How long a program may take to end: the server finishes what it has, then stops its database.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked whether it ended.
const LOOK: Duration = Duration::from_millis(20);

/// The signals that end the demo.
pub(super) fn endings() -> SigSet {
    SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])
}

/// A running program with all that it started; ended on drop.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) process: Process,
    ended: Option<ExitStatus>,
}

/// A command that the kernel ends with us, where there is `setpriv` (util-linux, so on every Linux).
pub(super) fn command(program: &Path) -> Command {
    let Some(setpriv) = cfg!(target_os = "linux").then(|| find("setpriv")).flatten() else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args([OsStr::new("--pdeathsig"), OsStr::new("TERM"), OsStr::new("--"), program.as_os_str()]);
    command
}

impl Child {
    /// Starts a program in a group of its own: Ctrl-C reaches us, and we end all in order.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        // What we block would be blocked in the program, too.
        endings().thread_unblock()?;
        let started = command.process_group(0).spawn();
        endings().thread_block()?;
        let process = started.with_context(|| format!("could not start `{}`", words(command)))?;
        Ok(Self { process, ended: None })
    }

    /// How it ended, when it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait()?;
        }
        Ok(self.ended)
    }

    fn signal(&self, signal: Signal) {
        if let Ok(id) = i32::try_from(self.process.id()) {
            // It fails when all of it has ended already.
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
        // Who didn't, and what it left behind.
        self.signal(Signal::SIGKILL);
        let _ = self.process.wait();
    }
}
