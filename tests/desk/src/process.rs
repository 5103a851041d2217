//! Child processes that end on drop.

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

/// A running program with all its child processes; killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its output goes to a file in `folder`.
    ///
    /// # Errors
    /// Returns an error if there is no such program.
    pub fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = folder.join(format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log)?;
        command.stdout(out.try_clone()?).stderr(out);
        Self::start_with_output(command, &log)
    }

    /// Starts `command`, whose output the caller has redirected; `log` is the file it goes to.
    ///
    /// # Errors
    /// Returns the same errors as `start`.
    pub fn start_with_output(command: &mut Command, log: &Path) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            // A process group of its own, so that its children can be killed with it.
            .process_group(0)
            .spawn()
            .with_context(|| {
                format!("could not start {}; `cargo xtask setup` installs it", command.get_program().display())
            })?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the exit status if the program has ended.
    ///
    /// # Errors
    /// Returns an error if the system doesn't report it.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Returns the output so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Returns the running child processes of a process.
pub(crate) fn children(of: u32) -> Vec<Pid> {
    // Linux lists children by the thread that started them: proc(5), /proc/[pid]/task/[tid]/children.
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let all: Vec<i32> =
        lists.flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect();
    all.into_iter().filter(|id| !has_ended(*id)).map(Pid::from_raw).collect()
}

/// Kills the child processes of a process, and waits until they are gone.
pub(crate) fn end_all(of: u32) {
    for child in children(of) {
        // The child may end at this moment.
        let _gone = kill(child, Signal::SIGKILL);
    }
    // A process that can't be killed is waiting for a disk; nothing more can be done about it.
    drop(until("what was killed to be gone", || Ok(children(of).is_empty().then_some(()))));
}

/// Returns whether a process is a zombie or dead, with no thread left. Its first thread can end before the others,
/// which hold its files and connections until then.
fn has_ended(id: i32) -> bool {
    let about = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{id}/task")).map_or(0, Iterator::count);
    // The state follows the name, which is in parentheses.
    threads <= 1 && about.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // This fails if the whole group has ended already.
            let _gone = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        drop(self.child.wait());
    }
}
