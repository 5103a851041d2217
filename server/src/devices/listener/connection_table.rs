//! The registry of connected clients, by which a new connection takes over an older one of its client [MQTT-3.1.4-3].

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::intake::ClientIssue;
use crate::devices::delivery::Peer;

/// Maximum takeovers of a client within [`WINDOW`]. Beyond it, the client id counts as shared by several devices for
/// [`SEVERAL_FOR`].
const TAKEOVERS: usize = 4;
const WINDOW: Duration = Duration::from_mins(1);
const SEVERAL_FOR: Duration = Duration::from_mins(10);

/// The registry of accepted connections.
#[derive(Debug)]
pub(super) struct ConnectionTable<P> {
    all: Mutex<All<P>>,
}

#[derive(Debug)]
struct All<P> {
    by_client_id: HashMap<String, Client<P>>,
    /// The connections of each device, the oldest first.
    by_device: HashMap<String, VecDeque<(u64, CancellationToken)>>,
}

/// The connections of one client id.
#[derive(Debug)]
struct Client<P> {
    entries: Vec<Entry<P>>,
    /// Times of the recent takeovers.
    takeovers: VecDeque<Instant>,
    /// The time until which the client id counts as shared by several devices, which don't take over each other.
    several_until: Option<Instant>,
}

#[derive(Debug)]
struct Entry<P> {
    connection: u64,
    principal: P,
    taken_over: CancellationToken,
}

/// A connection's registration; removed when dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard<P> {
    roster: Arc<ConnectionTable<P>>,
    peer: Arc<Peer<P>>,
    device: Option<String>,
    /// Cancelled when another connection of the client has taken this one over.
    pub(super) taken_over: CancellationToken,
    /// Cancelled when the device has too many connections, of which this is the oldest.
    pub(super) crowded_out: CancellationToken,
    /// The problem with this client's connections to report, if any.
    pub(super) trouble: Option<ClientIssue>,
}

impl<P> ConnectionTable<P> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { all: Mutex::new(All { by_client_id: HashMap::new(), by_device: HashMap::new() }) })
    }

    fn lock(&self) -> MutexGuard<'_, All<P>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Clone + PartialEq> ConnectionTable<P> {
    /// Registers a peer, and cancels an older connection of the same client id and principal [MQTT-3.1.4-3].
    ///
    /// Repeated takeovers mean that several devices share a client id and would disconnect each other for ever. Their
    /// connections are then kept side by side, and the problem is reported. A device with credentials of its own keeps
    /// its newest `most` connections, whatever their client ids; an older one is crowded out.
    pub(super) fn enter(
        self: &Arc<Self>,
        peer: &Arc<Peer<P>>,
        device: Option<String>,
        most: usize,
        now: Instant,
    ) -> ConnectionGuard<P> {
        let (taken_over, crowded_out) = (CancellationToken::new(), CancellationToken::new());
        let mut all = self.lock();
        let client = all.by_client_id.entry(peer.client_id.clone()).or_insert_with(|| Client {
            entries: Vec::new(),
            takeovers: VecDeque::new(),
            several_until: None,
        });
        let mut trouble = None;
        let same = client.entries.iter().filter(|entry| entry.principal == peer.principal).count();
        // More than one connection is left only if each has kept itself alive, which takes several devices.
        let mut are_several = same > 1 || client.several_until.is_some_and(|until| now < until);
        if same > 0 && !are_several {
            client.takeovers.retain(|at| now.saturating_duration_since(*at) < WINDOW);
            client.takeovers.push_back(now);
            if client.takeovers.len() > TAKEOVERS {
                client.takeovers.clear();
                client.several_until = Some(now + SEVERAL_FOR);
                trouble = Some(ClientIssue::SharedClientId);
                are_several = true;
            }
        }
        let mut ended = Vec::new();
        if !are_several {
            client.entries.retain(|entry| {
                let same = entry.principal == peer.principal;
                if same {
                    entry.taken_over.cancel();
                    ended.push(entry.connection);
                }
                !same
            });
        }
        client.entries.push(Entry {
            connection: peer.connection,
            principal: peer.principal.clone(),
            taken_over: taken_over.clone(),
        });
        if let Some(device) = &device {
            let own = all.by_device.entry(device.clone()).or_default();
            // A connection that is taken over crowds no other out.
            own.retain(|(connection, _)| !ended.contains(connection));
            own.push_back((peer.connection, crowded_out.clone()));
            if own.len() > most
                && let Some((_, oldest)) = own.pop_front()
            {
                oldest.cancel();
            }
        }
        drop(all);
        ConnectionGuard { roster: Arc::clone(self), peer: Arc::clone(peer), device, taken_over, crowded_out, trouble }
    }
}

impl<P> Drop for ConnectionGuard<P> {
    fn drop(&mut self) {
        let mut all = self.roster.lock();
        let number = self.peer.connection;
        if let Some(client) = all.by_client_id.get_mut(&self.peer.client_id) {
            client.entries.retain(|entry| entry.connection != number);
            if client.entries.is_empty() {
                all.by_client_id.remove(&self.peer.client_id);
            }
        }
        if let Some(device) = &self.device
            && let Some(own) = all.by_device.get_mut(device)
        {
            own.retain(|(connection, _)| *connection != number);
            if own.is_empty() {
                all.by_device.remove(device);
            }
        }
    }
}
