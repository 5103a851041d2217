//! Messages that are no press: counted in memory, and written a few at a time, so that a babbling device costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;

use crate::actions::CountUnheard;
use crate::clock::Clock;
use crate::db::unheard::Unheard as Row;
use crate::house::OpenSite;

/// Sorts of messages that wait to be written, at most; more are counted in the metrics only.
const WAITING: usize = 256;

/// Bytes of a message that are kept for the administrator to look at.
const SAMPLE: usize = 512;

/// How long counts wait to be written.
const EVERY: Duration = Duration::from_secs(2);

/// Where, which device, and why.
type Sort = (SiteId, String, &'static str);
type Waiting = HashMap<Sort, (Arc<OpenSite>, Row)>;

/// The counts that wait.
#[derive(Clone, Debug)]
pub(super) struct Unheard {
    waiting: Arc<Mutex<Waiting>>,
    clock: Clock,
}

impl Unheard {
    /// Starts writing, for as long as anybody counts.
    pub(super) fn start(clock: Clock) -> Self {
        let unheard = Self { waiting: Arc::default(), clock };
        let waiting = Arc::downgrade(&unheard.waiting);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(waiting) = waiting.upgrade() else { return };
                let counted = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
                for (_, (site, row)) in sorted(counted) {
                    // A count that can't be written is no loss worth a word; the metrics have it.
                    let _ = site.act(Box::new(CountUnheard(row)), Actor::System, Source::Server).await;
                }
            }
        });
        unheard
    }

    /// Counts a message.
    pub(super) fn count(&self, site: &Arc<OpenSite>, device: &str, reason: &'static str, topic: &str, payload: &[u8]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (site.id, device.to_owned(), reason);
        if waiting.len() >= WAITING && !waiting.contains_key(&key) {
            return;
        }
        let (_, row) = waiting.entry(key).or_insert_with(|| {
            let row = Row {
                device: device.to_owned(),
                reason: reason.to_owned(),
                topic: String::new(),
                sample: Vec::new(),
                times: 0,
                last_at: self.clock.now(),
            };
            (Arc::clone(site), row)
        });
        row.times += 1;
        row.topic = topic.replace('\0', "").chars().take(300).collect();
        row.sample = payload[..payload.len().min(SAMPLE)].to_vec();
        row.last_at = self.clock.now();
    }
}

fn sorted(counted: Waiting) -> Vec<(Sort, (Arc<OpenSite>, Row))> {
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by(|(a, _), (b, _)| a.cmp(b));
    counted
}
