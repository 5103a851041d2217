//! Reception record: for each press, the number of sockets that received it and the time of the last.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// The presses of one measurement, numbered from 0 in the order of their schedule.
pub(crate) struct Board {
    /// The prefix of this measurement's press ids; no other text in a frame contains it.
    pub(crate) marker: String,
    pub(crate) clock: Instant,
    sockets: u32,
    heard: Vec<AtomicU32>,
    /// When the last socket received the press, in nanoseconds on `clock`; 0 until then.
    complete: Vec<AtomicU64>,
    completed: AtomicUsize,
}

impl Board {
    pub(crate) fn new(presses: usize, sockets: usize) -> Self {
        static RUN: AtomicU32 = AtomicU32::new(0);
        Self {
            marker: format!("bench{}x{}-", std::process::id(), RUN.fetch_add(1, Relaxed)),
            clock: Instant::now(),
            sockets: u32::try_from(sockets).unwrap_or(u32::MAX),
            heard: (0..presses).map(|_| AtomicU32::new(0)).collect(),
            complete: (0..presses).map(|_| AtomicU64::new(0)).collect(),
            completed: AtomicUsize::new(0),
        }
    }

    pub(crate) fn presses(&self) -> usize {
        self.complete.len()
    }

    pub(crate) fn nanos(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Records the presses that a socket's frame names. `own` marks the presses that the socket has received before: a
    /// press can be named by several entries, and counts once.
    ///
    /// The frame is searched and not parsed: parsing would cost more processor time than sending did.
    pub(crate) fn note(&self, frame: &[u8], own: &mut [bool]) {
        let now = self.nanos();
        let mut rest = frame;
        while let Some(at) = find(rest, self.marker.as_bytes()) {
            rest = &rest[at + self.marker.len()..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
            let press = digits.fold(0, |number: usize, digit| number.wrapping_mul(10) + usize::from(digit - b'0'));
            let Some(new) = own.get_mut(press).filter(|heard| !**heard) else {
                continue;
            };
            *new = true;
            if self.heard[press].fetch_add(1, Relaxed) + 1 == self.sockets {
                self.complete[press].store(now, Relaxed);
                self.completed.fetch_add(1, Relaxed);
            }
        }
    }

    /// Returns when the last socket received this press, in nanoseconds on `clock`.
    pub(crate) fn completed_at(&self, press: usize) -> Option<u64> {
        self.complete.get(press).map(|at| at.load(Relaxed)).filter(|at| *at > 0)
    }

    /// Waits until every socket has received every press, or `limit` has passed.
    pub(crate) fn wait(&self, limit: Duration) {
        let began = Instant::now();
        while self.completed.load(Relaxed) < self.presses() && began.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Returns the start of `needle`. The search jumps between occurrences of its first byte, which is rare enough in JSON.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
