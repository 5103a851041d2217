//! Cache of a site's newest entries, shared by all readers.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::watch;

use super::LogEntry;

/// The newest entries of a site, and a watch channel of its head.
#[derive(Debug)]
pub struct RecentEntries {
    entries: RwLock<Kept>,
    head: watch::Sender<u64>,
}

/// A cached entry, and when it was cached.
#[derive(Debug)]
struct Noted {
    at: Instant,
    entry: Arc<LogEntry>,
}

/// The cached entries, and their size in bytes.
#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Noted>,
    bytes: usize,
}

impl Kept {
    fn push(&mut self, at: Instant, entry: Arc<LogEntry>) {
        self.bytes += entry.bytes();
        self.entries.push_back(Noted { at, entry });
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    /// Evicts the oldest entries beyond the limits.
    fn bound(&mut self) {
        while self.entries.len() > RecentEntries::KEPT || (self.bytes > RecentEntries::BYTES && self.entries.len() > 1)
        {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.entry.bytes();
            }
        }
    }
}

impl RecentEntries {
    /// Maximum cached entries, some seconds of a burst; a reader that is further behind reads the database.
    const KEPT: usize = 4096;

    /// Maximum cached bytes, except for the newest entry: an entry may be a thousand times as large as most.
    const BYTES: usize = 16 * 1024 * 1024;

    /// Creates an empty cache with a head.
    pub fn new(head: u64) -> Self {
        Self { entries: RwLock::default(), head: watch::Sender::new(head) }
    }

    /// Returns the sequence number of the last entry.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Returns a watch channel of the head.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Adds committed entries, and wakes the readers.
    ///
    /// Entries may arrive twice (from this process's writer and from the follower) or after a gap (another process
    /// wrote in between). Known entries are skipped, and a gap empties the cache, so that readers use the database.
    pub fn push(&self, new: Vec<Arc<LogEntry>>) {
        let Some(last) = new.last().map(|entry| entry.seq) else { return };
        {
            let at = Instant::now();
            let mut kept = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            for entry in new {
                match kept.entries.back().map(|back| back.entry.seq) {
                    Some(back) if entry.seq <= back => {}
                    Some(back) if entry.seq > back + 1 => {
                        kept.clear();
                        kept.push(at, entry);
                    }
                    Some(_) | None => kept.push(at, entry),
                }
            }
            kept.bound();
        }
        self.reached(last);
    }

    /// Raises the head to a sequence number, whichever process wrote it, and wakes the readers.
    pub fn reached(&self, seq: u64) {
        self.head.send_if_modified(|head| {
            let further = seq > *head;
            *head = seq.max(*head);
            further
        });
    }

    /// Returns one entry; `None` if it isn't cached.
    pub fn at(&self, seq: u64) -> Option<Arc<LogEntry>> {
        self.look_at(seq, |noted| Arc::clone(&noted.entry))
    }

    /// Returns when an entry written here was known to be committed, before any reader saw it; `None` if it isn't
    /// cached.
    pub fn committed_at(&self, seq: u64) -> Option<Instant> {
        self.look_at(seq, |noted| noted.at)
    }

    fn look_at<T>(&self, seq: u64, look: impl FnOnce(&Noted) -> T) -> Option<T> {
        let entries = &self.entries.read().unwrap_or_else(PoisonError::into_inner).entries;
        let place = seq.checked_sub(entries.front()?.entry.seq)?;
        entries.get(usize::try_from(place).ok()?).map(look)
    }

    /// Returns the entries after a sequence number, oldest first: at most `limit`, and up to `bytes` of payload except
    /// for the last one. `None` if they aren't all cached.
    pub fn after(&self, cursor: u64, limit: usize, bytes: usize) -> Option<Vec<Arc<LogEntry>>> {
        let entries = &self.entries.read().unwrap_or_else(PoisonError::into_inner).entries;
        let first = entries.front()?.entry.seq;
        if cursor + 1 < first {
            return None;
        }
        let skip = usize::try_from(cursor + 1 - first).ok()?;
        let mut before = 0;
        let fits = |noted: &&Noted| {
            let fits = before < bytes;
            before += noted.entry.payload.get().len();
            fits
        };
        Some(entries.iter().skip(skip).take(limit).take_while(fits).map(|noted| Arc::clone(&noted.entry)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::entry::tests::{entry, entry_of};

    const MUCH: usize = usize::MAX;

    fn numbers(entries: Option<Vec<Arc<LogEntry>>>) -> Option<Vec<u64>> {
        entries.map(|entries| entries.iter().map(|entry| entry.seq).collect())
    }

    #[test]
    fn a_reader_gets_what_it_has_not_seen() {
        let recent = RecentEntries::new(4);
        recent.push(vec![entry(5), entry(6), entry(7)]);
        assert_eq!(numbers(recent.after(5, 10, MUCH)), Some(vec![6, 7]));
        assert_eq!(numbers(recent.after(7, 10, MUCH)), Some(vec![]));
        assert_eq!(numbers(recent.after(4, 2, MUCH)), Some(vec![5, 6]));
        assert_eq!(numbers(recent.after(3, 10, MUCH)), None, "entry 4 is in the database only");
        let at = |seq| recent.at(seq).map(|entry| entry.seq);
        assert_eq!([4, 5, 7, 8].map(at), [None, Some(5), Some(7), None]);
    }

    #[test]
    fn a_hole_sends_readers_to_the_database_and_a_repetition_changes_nothing() {
        let recent = RecentEntries::new(4);
        recent.push(vec![entry(5)]);
        recent.push(vec![entry(5)]);
        assert_eq!(numbers(recent.after(4, 10, MUCH)), Some(vec![5]));
        recent.push(vec![entry(8)]);
        assert_eq!(recent.head(), 8);
        assert_eq!(numbers(recent.after(5, 10, MUCH)), None);
        assert_eq!(numbers(recent.after(7, 10, MUCH)), Some(vec![8]));
    }

    #[test]
    fn an_entry_was_committed_when_it_was_pushed_whenever_somebody_looks() {
        let recent = RecentEntries::new(4);
        let before = Instant::now();
        recent.push(vec![entry(5), entry(6)]);
        let told = Instant::now();
        // The follower delivers it again, later.
        recent.push(vec![entry(6), entry(7)]);
        for seq in [5, 6] {
            let at = recent.committed_at(seq).unwrap();
            assert!(before <= at && at <= told, "{seq}");
        }
        assert!(recent.committed_at(7) >= Some(told));
        assert_eq!(recent.committed_at(8), None);
    }

    #[test]
    fn large_entries_push_the_oldest_out_and_the_newest_stays() {
        let recent = RecentEntries::new(0);
        let large =
            |seq| Arc::new(LogEntry { envelope: "x".repeat(RecentEntries::BYTES / 4).into(), ..(*entry(seq)).clone() });
        recent.push((1..=6).map(large).collect());
        assert_eq!(numbers(recent.after(3, 10, MUCH)), Some(vec![4, 5, 6]));
        assert_eq!(numbers(recent.after(2, 10, MUCH)), None, "entry 3 is in the database only");
        let huge = LogEntry { envelope: "x".repeat(2 * RecentEntries::BYTES).into(), ..(*entry(7)).clone() };
        recent.push(vec![Arc::new(huge)]);
        assert_eq!(numbers(recent.after(6, 10, MUCH)), Some(vec![7]));
        recent.push((8..=10).map(entry).collect());
        assert_eq!(numbers(recent.after(7, 10, MUCH)), Some(vec![8, 9, 10]));
    }

    #[test]
    fn the_oldest_fall_off() {
        let recent = RecentEntries::new(0);
        recent.push((1..=5000).map(entry).collect());
        assert_eq!(numbers(recent.after(0, 1, MUCH)), None);
        assert_eq!(numbers(recent.after(4999, 9, MUCH)), Some(vec![5000]));
    }

    #[test]
    fn what_is_at_hand_is_bounded_by_bytes_and_given_out_by_bytes() {
        let recent = RecentEntries::new(0);
        let mut all = Vec::new();
        // 256 MiB, twice each: the payload, and the envelope around it.
        for seq in 1..=4096 {
            let entry = entry_of(seq, 64 * 1024);
            all.push((Arc::downgrade(&entry), entry.bytes()));
            recent.push(vec![entry]);
        }
        let alive: usize = all.iter().filter(|(entry, _)| entry.upgrade().is_some()).map(|(_, bytes)| bytes).sum();
        assert!((RecentEntries::BYTES / 2..=RecentEntries::BYTES).contains(&alive), "{alive} bytes are kept");
        let page = |bytes| numbers(recent.after(4000, 500, bytes)).unwrap();
        assert_eq!(page(MUCH).len(), 96);
        assert_eq!(page(256 * 1024), [4001, 4002, 4003, 4004], "the one that goes beyond it is the last");
        assert_eq!(page(1), [4001], "one at least");
        // An entry larger than the whole limit is cached all the same, alone.
        recent.push(vec![entry_of(4097, 2 * RecentEntries::BYTES)]);
        assert_eq!(numbers(recent.after(4096, 10, 1)), Some(vec![4097]));
        assert_eq!(numbers(recent.after(4095, 10, 1)), None);
        recent.push(vec![entry(4098)]);
        assert_eq!(numbers(recent.after(4097, 10, 1)), Some(vec![4098]));
    }
}
