//! Programs that end with the value that stands for them.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::until;

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

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
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

/// The processes that the process of that number has started and that haven't ended.
pub(crate) fn children(of: u32) -> Vec<Pid> {
    // Linux lists them by the thread that started them: proc(5), /proc/[pid]/task/[tid]/children.
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let all: Vec<i32> =
        lists.flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect();
    all.into_iter().filter(|id| !has_ended(*id)).map(Pid::from_raw).collect()
}

/// Ends all that the process of that number has started, and waits until it is gone.
pub(crate) fn end_all(of: u32) {
    for child in children(of) {
        // It may end in this moment.
        let _gone = kill(child, Signal::SIGKILL);
    }
    // What can't be ended is waiting for a disk: nothing more can be done about it.
    drop(until("what was killed to be gone", || Ok(children(of).is_empty().then_some(()))));
}

/// Whether all that is left of a process is its entry in the table. Its first thread can have ended before the others, which
/// hold its files and its connections until then.
fn has_ended(id: i32) -> bool {
    let about = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count);
    // The state stands after the name, which is in parentheses.
    threads <= 1 && about.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
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
