//! Memory and processor time of a process, from the kernel (`/proc`, Linux only).

use std::{fs, time::Duration};

/// Returns the resident memory in MB (10^6 bytes), without child processes.
pub(crate) fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// The processor time of a process so far, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Cpu(f64);

/// Reads the user and system time, which the kernel counts in hundredths of a second (`USER_HZ`).
pub(crate) fn cpu(pid: u32) -> Option<Cpu> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name, may hold spaces; it ends at the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some(Cpu((ticks(11)? + ticks(12)?) / 100.0))
}

impl Cpu {
    /// Returns the average number of cores used between two readings; 0 if they are unavailable.
    pub(crate) fn between(before: Option<Self>, after: Option<Self>, time: Duration) -> f64 {
        before.zip(after).map_or(0.0, |(before, after)| (after.0 - before.0) / time.as_secs_f64())
    }
}
