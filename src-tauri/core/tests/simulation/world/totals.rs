//! Counters of simulated events, to verify that each kind occurred.

use std::collections::BTreeMap;

/// The kinds of entries about calls.
const CALLS: [&str; 8] = [
    "call_started",
    "call_missed",
    "call_answered",
    "call_rejected",
    "call_cancelled",
    "call_ended",
    "call_dropped",
    "call_seen",
];

/// Counters of simulated events, by name.
#[derive(Debug, Default)]
pub struct Totals(BTreeMap<&'static str, u64>);

impl Totals {
    pub fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Counts a log entry about a call.
    pub fn count_entry(&mut self, kind: &str) {
        if let Some(what) = CALLS.iter().find(|what| **what == kind) {
            self.count(what);
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// Panics if an expected event occurred 20 times or fewer in 1000 schedules or more, because a simulation without
    /// faults proves nothing.
    pub fn assert_that_everything_happened(&self, schedules: u64) {
        let all = [
            "kept",
            "refused here",
            "not kept",
            "done",
            "refused by the server",
            "cuts",
            "killed",
            "answers lost",
            "late duplicates",
            "replays",
            "restored",
            "resent",
            "revoked",
            "frames lost",
            "frames garbled",
            "retries",
            "discards",
            "presses",
            "calls broken off",
            "core failed",
            "strangers",
            "not active",
            "blocked",
            "live by events",
            "sockets back",
            "pressed again",
            "parts failed",
            "emergencies with nobody on duty",
            "other installations",
            "welcomed by another installation",
        ];
        for what in all.into_iter().chain(CALLS) {
            let count = self.0.get(what).copied().unwrap_or_default();
            assert!(schedules < 1000 || count > 20, "\"{what}\" happened {count} times in {schedules} schedules");
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{what} {count}")).collect();
        f.write_str(&parts.join(", "))
    }
}
