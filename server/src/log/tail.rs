//! The newest entries of a site, at hand for all who listen.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::LogEntry;

/// Entries without a gap, and how large they are.
#[derive(Debug, Default)]
struct AtHand {
    entries: VecDeque<Arc<LogEntry>>,
    bytes: usize,
}

impl AtHand {
    fn add(&mut self, entry: Arc<LogEntry>) {
        self.bytes += entry.size();
        self.entries.push_back(entry);
    }

    /// Lets the oldest go that are too many or too much; the newest stays, however large it is.
    fn bound(&mut self) {
        while self.entries.len() > Tail::KEPT || (self.bytes > Tail::KEPT_BYTES && self.entries.len() > 1) {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.size();
        }
    }
}

/// The newest entries of a site, and the number of the last one, which can be waited for.
#[derive(Debug)]
pub struct Tail {
    entries: RwLock<AtHand>,
    head: watch::Sender<u64>,
}

impl Tail {
    /// Entries kept at hand: some seconds of a storm; a reader that is further behind asks the database.
    const KEPT: usize = 4096;

    /// Bytes of entries kept at hand, however few they are.
    const KEPT_BYTES: usize = 16 * 1024 * 1024;

    /// Begins at a head.
    pub fn new(head: u64) -> Self {
        Self { entries: RwLock::default(), head: watch::Sender::new(head) }
    }

    /// The number of the last entry.
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Watches the number of the last entry.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Takes in entries that were committed, and wakes the readers.
    ///
    /// Entries may come twice (from the writer here and from the follower) or after a hole (another process wrote in
    /// between): what is known is passed over, and a hole empties the tail, so that readers ask the database.
    pub fn push(&self, new: Vec<Arc<LogEntry>>) {
        let Some(last) = new.last().map(|entry| entry.seq) else { return };
        {
            let mut at_hand = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            for entry in new {
                match at_hand.entries.back().map(|back| back.seq) {
                    Some(back) if entry.seq <= back => {}
                    Some(back) if entry.seq > back + 1 => {
                        *at_hand = AtHand::default();
                        at_hand.add(entry);
                    }
                    Some(_) | None => at_hand.add(entry),
                }
            }
            at_hand.bound();
        }
        self.reached(last);
    }

    /// Notes that the log reaches to a number, whoever wrote it, and wakes the readers.
    pub fn reached(&self, seq: u64) {
        self.head.send_if_modified(|head| {
            let further = seq > *head;
            *head = seq.max(*head);
            further
        });
    }

    /// One entry; none when it isn't at hand.
    pub fn at(&self, seq: u64) -> Option<Arc<LogEntry>> {
        let entries = &self.entries.read().unwrap_or_else(PoisonError::into_inner).entries;
        let place = seq.checked_sub(entries.front()?.seq)?;
        entries.get(usize::try_from(place).ok()?).cloned()
    }

    /// The entries after a number, oldest first and at most so many; none when they aren't all at hand.
    pub fn after(&self, cursor: u64, limit: usize) -> Option<Vec<Arc<LogEntry>>> {
        let entries = &self.entries.read().unwrap_or_else(PoisonError::into_inner).entries;
        let first = entries.front()?.seq;
        if cursor + 1 < first {
            return None;
        }
        let skip = usize::try_from(cursor + 1 - first).ok()?;
        Some(entries.iter().skip(skip).take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::entry::tests::entry;

    fn numbers(entries: Option<Vec<Arc<LogEntry>>>) -> Option<Vec<u64>> {
        entries.map(|entries| entries.iter().map(|entry| entry.seq).collect())
    }

    #[test]
    fn a_reader_gets_what_it_has_not_seen() {
        let tail = Tail::new(4);
        tail.push(vec![entry(5), entry(6), entry(7)]);
        assert_eq!(numbers(tail.after(5, 10)), Some(vec![6, 7]));
        assert_eq!(numbers(tail.after(7, 10)), Some(vec![]));
        assert_eq!(numbers(tail.after(4, 2)), Some(vec![5, 6]));
        assert_eq!(numbers(tail.after(3, 10)), None, "entry 4 is in the database only");
        let at = |seq| tail.at(seq).map(|entry| entry.seq);
        assert_eq!([4, 5, 7, 8].map(at), [None, Some(5), Some(7), None]);
    }

    #[test]
    fn a_hole_sends_readers_to_the_database_and_a_repetition_changes_nothing() {
        let tail = Tail::new(4);
        tail.push(vec![entry(5)]);
        tail.push(vec![entry(5)]);
        assert_eq!(numbers(tail.after(4, 10)), Some(vec![5]));
        tail.push(vec![entry(8)]);
        assert_eq!(tail.head(), 8);
        assert_eq!(numbers(tail.after(5, 10)), None);
        assert_eq!(numbers(tail.after(7, 10)), Some(vec![8]));
    }

    #[test]
    fn large_entries_push_the_oldest_out_and_the_newest_stays() {
        let tail = Tail::new(0);
        let large =
            |seq| Arc::new(LogEntry { envelope: "x".repeat(Tail::KEPT_BYTES / 4).into(), ..(*entry(seq)).clone() });
        tail.push((1..=6).map(large).collect());
        assert_eq!(numbers(tail.after(3, 10)), Some(vec![4, 5, 6]));
        assert_eq!(numbers(tail.after(2, 10)), None, "entry 3 is in the database only");
        let huge = LogEntry { envelope: "x".repeat(2 * Tail::KEPT_BYTES).into(), ..(*entry(7)).clone() };
        tail.push(vec![Arc::new(huge)]);
        assert_eq!(numbers(tail.after(6, 10)), Some(vec![7]));
        tail.push((8..=10).map(entry).collect());
        assert_eq!(numbers(tail.after(7, 10)), Some(vec![8, 9, 10]));
    }

    #[test]
    fn the_oldest_fall_off() {
        let tail = Tail::new(0);
        tail.push((1..=5000).map(entry).collect());
        assert_eq!(numbers(tail.after(0, 1)), None);
        assert_eq!(numbers(tail.after(4999, 9)), Some(vec![5000]));
    }
}
