//! Memory of processes as the kernel reports it (`/proc`, Linux only).

use std::fs;
use std::path::Path;

/// The memory of a process, in MB (10^6 bytes).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident set size, shared memory included.
    pub(crate) resident: f64,
    /// Proportional set size: shared memory is divided among the processes that share it.
    pub(crate) share: f64,
}

/// Returns the memory of a process; `None` if it has ended.
pub(crate) fn of(pid: u32) -> Option<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let field = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0 / 1e6)
    };
    Some(Memory { resident: field("Rss:")?, share: field("Pss:")? })
}

/// Returns a program's process and its children, with their names; the program's first.
pub(crate) fn family(program: &Path) -> Vec<(u32, String)> {
    let all: Vec<u32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let is_it = |pid: &u32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program);
    let mut family: Vec<u32> = all.iter().copied().find(is_it).into_iter().collect();
    let mut next = 0;
    while let Some(&elder) = family.get(next) {
        family.extend(all.iter().copied().filter(|pid| parent(*pid) == Some(elder)));
        next += 1;
    }
    let name = |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
    family.into_iter().map(|pid| (pid, name(pid))).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name, may hold spaces; it ends at the last parenthesis.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
