//! The calls that ring or are ongoing, from the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crewbell_shared::call::Call;
use crewbell_shared::ids::CallId;
use tokio::sync::watch;

/// Time limit for waiting until an entry is applied here, which normally takes far less.
const PATIENCE: Duration = Duration::from_secs(1);

/// The calls that ring or are ongoing.
#[derive(Debug, Default)]
pub(super) struct LiveCalls {
    calls: Mutex<BTreeMap<CallId, Call>>,
    /// Number of the last entry applied.
    as_of: watch::Sender<u64>,
}

impl LiveCalls {
    pub(super) fn begin(&self, calls: Vec<Call>, as_of: u64) {
        *self.lock() = calls.into_iter().map(|call| (call.id, call)).collect();
        self.as_of.send_replace(as_of);
    }

    /// Applies a call. Returns whether it changed.
    pub(super) fn follow(&self, call: Call) -> bool {
        let mut calls = self.lock();
        if call.is_live() {
            let is_news = calls.get(&call.id) != Some(&call);
            calls.insert(call.id, call);
            is_news
        } else {
            calls.remove(&call.id).is_some()
        }
    }

    pub(super) fn reached(&self, seq: u64) {
        self.as_of.send_replace(seq);
    }

    pub(super) async fn until(&self, seq: u64) {
        let mut as_of = self.as_of.subscribe();
        // If the log can't be followed at the moment, the known state decides.
        let _ = tokio::time::timeout(PATIENCE, as_of.wait_for(|as_of| *as_of >= seq)).await;
    }

    /// Applies a function to a call, if it is live.
    pub(super) fn with<T>(&self, id: CallId, look: impl FnOnce(&Call) -> T) -> Option<T> {
        self.lock().get(&id).map(look)
    }

    pub(super) fn all(&self) -> Vec<Call> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
