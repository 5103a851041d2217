//! Who is connected, so that a client that comes again takes over its own older connection [MQTT-3.1.4-3].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::devices::delivery::Peer;

/// The connections that have been let in.
#[derive(Debug)]
pub(super) struct Roster<P> {
    by_client_id: Mutex<HashMap<String, Vec<Entry<P>>>>,
}

#[derive(Debug)]
struct Entry<P> {
    connection: u64,
    principal: P,
    taken_over: CancellationToken,
}

/// A connection's line in the roster, struck out when dropped.
#[derive(Debug)]
pub(super) struct Place<P> {
    roster: Arc<Roster<P>>,
    peer: Arc<Peer<P>>,
    /// Cancelled when the same client has come in again.
    pub(super) taken_over: CancellationToken,
}

impl<P> Roster<P> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { by_client_id: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Entry<P>>>> {
        self.by_client_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Clone + PartialEq> Roster<P> {
    /// Enters a peer, and tells an older connection of the same client and principal to leave.
    pub(super) fn enter(self: &Arc<Self>, peer: &Arc<Peer<P>>) -> Place<P> {
        let taken_over = CancellationToken::new();
        let mut all = self.lock();
        let entries = all.entry(peer.client_id.clone()).or_default();
        entries.retain(|entry| {
            let same = entry.principal == peer.principal;
            if same {
                entry.taken_over.cancel();
            }
            !same
        });
        entries.push(Entry {
            connection: peer.connection,
            principal: peer.principal.clone(),
            taken_over: taken_over.clone(),
        });
        Place { roster: Arc::clone(self), peer: Arc::clone(peer), taken_over }
    }
}

impl<P> Drop for Place<P> {
    fn drop(&mut self) {
        let mut all = self.roster.lock();
        if let Some(entries) = all.get_mut(&self.peer.client_id) {
            entries.retain(|entry| entry.connection != self.peer.connection);
            if entries.is_empty() {
                all.remove(&self.peer.client_id);
            }
        }
    }
}
