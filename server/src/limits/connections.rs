//! Connection limits: total, per state and per origin.
//!
//! A connection is *unauthenticated* until it has signed in. Unauthenticated connections have a limit of their own, and
//! within it one for each origin. At its origin's limit a new connection evicts that origin's oldest silent one; at the
//! total limit, that of the origin with most of them. A button sends its credentials within milliseconds, so an
//! attacker who holds sockets open locks nobody out. Signed-in connections have a limit too, and part of it is reserved
//! for those with a secret of their own.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The connection limits of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostConnections {
    /// Unauthenticated connections.
    pub unauthenticated: usize,
    /// Unauthenticated connections of one origin.
    pub unauthenticated_per_address: usize,
    /// Signed-in connections in all.
    pub signed_in: usize,
    /// Connections signed in by a join code, which many share, or without a secret.
    pub shared: usize,
    /// The same, of one origin.
    pub shared_per_address: usize,
}

/// Kind of secret by which a connection has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A secret of its own.
    Known,
    /// A join code, which many share, or no secret.
    Shared,
}

/// The connection limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All unauthenticated connections are being authenticated, so that none can be evicted.
    #[error("too many connections that haven't signed in")]
    Unauthenticated,
    /// The limit of signed-in connections is reached.
    #[error("too many connections")]
    SignedIn,
    /// The limit of connections without a secret of their own is reached; those with one still have some.
    #[error("too many connections by a shared code")]
    Shared,
}

/// The origin of a connection: an IPv4 address, or the /64 network of an IPv6 address, since a host can use any address
/// of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => Self(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The connections of one listener.
#[derive(Clone, Debug)]
pub struct Connections {
    listener: &'static str,
    most: MostConnections,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    origins: BTreeMap<Origin, At>,
    unauthenticated: usize,
    known: usize,
    shared: usize,
}

/// The connections of one origin.
#[derive(Debug, Default)]
struct At {
    /// Connections that have sent no credentials yet, the oldest first.
    silent: VecDeque<(u64, CancellationToken)>,
    unauthenticated: usize,
    known: usize,
    shared: usize,
}

impl Connections {
    /// Creates an empty table with these limits. `listener` labels the metrics.
    pub fn new(listener: &'static str, most: MostConnections) -> Self {
        Self { listener, most, table: Arc::default() }
    }

    /// Registers an accepted connection. If a limit is reached, an older connection is evicted, by cancelling its
    /// token.
    ///
    /// # Errors
    /// Returns an error if a limit is reached and no connection can be evicted.
    pub fn enter(&self, from: SocketAddr) -> Result<Slot, Full> {
        let origin = Origin::from(from.ip());
        let mut table = self.lock();
        let here = table.origins.get(&origin).map_or(0, |at| at.unauthenticated);
        let leaves = if here >= self.most.unauthenticated_per_address {
            Some(origin)
        } else if table.unauthenticated >= self.most.unauthenticated {
            table.origins.iter().max_by_key(|(_, at)| at.silent.len()).map(|(origin, _)| *origin)
        } else {
            None
        };
        if let Some(leaves) = leaves {
            let oldest = table.origins.get_mut(&leaves).and_then(|at| at.silent.pop_front());
            let Some((_, evicted)) = oldest else {
                self.count("refused");
                return Err(Full::Unauthenticated);
            };
            evicted.cancel();
            table.leave(leaves, State::Silent);
            self.count("evicted");
        }
        let number = table.next;
        table.next += 1;
        table.unauthenticated += 1;
        let evicted = CancellationToken::new();
        let at = table.origins.entry(origin).or_default();
        at.unauthenticated += 1;
        at.silent.push_back((number, evicted.clone()));
        self.gauge(&table);
        drop(table);
        Ok(Slot { connections: self.clone(), number, origin, evicted, state: Mutex::new(State::Silent) })
    }

    /// Returns the limit that is reached, if any, for monitoring.
    pub fn is_full(&self) -> Option<Full> {
        let table = self.lock();
        if table.known + table.shared >= self.most.signed_in {
            Some(Full::SignedIn)
        } else if table.shared >= self.most.shared && self.most.shared > 0 {
            Some(Full::Shared)
        } else {
            None
        }
    }

    /// Whether any connection is registered.
    #[cfg(test)]
    pub(crate) fn is_anybody_there(&self) -> bool {
        !self.lock().origins.is_empty()
    }

    /// Returns the limits.
    pub fn most(&self) -> MostConnections {
        self.most
    }

    fn count(&self, what: &'static str) {
        metrics::counter!("connections_turned_away_total", "listener" => self.listener, "how" => what).increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of connections")]
    fn gauge(&self, table: &Table) {
        let states = [("unauthenticated", table.unauthenticated), ("known", table.known), ("shared", table.shared)];
        for (state, count) in states {
            metrics::gauge!("connections", "listener" => self.listener, "state" => state).set(count as f64);
        }
    }

    /// Locks the table. Nothing panics while the lock is held, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn leave(&mut self, origin: Origin, state: State) {
        let Some(at) = self.origins.get_mut(&origin) else { return };
        match state {
            State::Silent | State::Judged => {
                self.unauthenticated -= 1;
                at.unauthenticated -= 1;
            }
            State::In(Standing::Known) => {
                self.known -= 1;
                at.known -= 1;
            }
            State::In(Standing::Shared) => {
                self.shared -= 1;
                at.shared -= 1;
            }
        }
        if at.unauthenticated + at.known + at.shared == 0 {
            self.origins.remove(&origin);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No credentials have been received.
    Silent,
    /// Credentials have been received and are being verified.
    Judged,
    In(Standing),
}

/// A connection's registration; released when dropped.
#[derive(Debug)]
pub struct Slot {
    connections: Connections,
    number: u64,
    origin: Origin,
    evicted: CancellationToken,
    state: Mutex<State>,
}

impl Slot {
    /// Returns the token that is cancelled when the connection is evicted.
    pub fn evicted(&self) -> &CancellationToken {
        &self.evicted
    }

    /// Returns the connection's origin.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Protects the connection from eviction while its credentials are verified. That must take a bounded time.
    pub fn judge(&self) {
        self.change(State::Judged);
    }

    /// Makes a connection whose credentials were rejected evictable again, while it receives the rejection.
    pub fn turn_away(&self) {
        let mut table = self.connections.lock();
        let mut state = self.state();
        if *state == State::Judged && !self.evicted.is_cancelled() {
            *state = State::Silent;
            table.origins.entry(self.origin).or_default().silent.push_back((self.number, self.evicted.clone()));
        }
    }

    /// Counts the connection as signed in.
    ///
    /// # Errors
    /// Returns an error if the limit is reached, and leaves the connection's state unchanged; or if the connection has
    /// been evicted.
    pub fn sign_in(&self, standing: Standing) -> Result<(), Full> {
        let most = self.connections.most;
        let mut table = self.connections.lock();
        let mut state = self.state();
        if self.evicted.is_cancelled() {
            return Err(Full::Unauthenticated);
        }
        if *state == State::In(standing) {
            return Ok(());
        }
        let own = usize::from(matches!(*state, State::In(_)));
        let shared_here = table.origins.get(&self.origin).map_or(0, |at| at.shared);
        let full = if table.known + table.shared - own >= most.signed_in {
            Some(Full::SignedIn)
        } else if standing == Standing::Shared
            && (table.shared >= most.shared || shared_here >= most.shared_per_address)
        {
            Some(Full::Shared)
        } else {
            None
        };
        if let Some(full) = full {
            self.connections.count("full");
            return Err(full);
        }
        self.move_to(&mut table, &mut state, State::In(standing));
        Ok(())
    }

    fn change(&self, to: State) {
        let mut table = self.connections.lock();
        let mut state = self.state();
        if *state == State::Silent {
            self.move_to(&mut table, &mut state, to);
        }
    }

    fn move_to(&self, table: &mut Table, state: &mut State, to: State) {
        // An evicted connection is no longer in the table.
        if self.evicted.is_cancelled() {
            return;
        }
        self.fall_silent_no_more(table, *state);
        // Increment before decrement, so that the origin isn't removed in between.
        let at = table.origins.entry(self.origin).or_default();
        match to {
            State::Silent | State::Judged => {
                at.unauthenticated += 1;
                table.unauthenticated += 1;
            }
            State::In(Standing::Known) => {
                at.known += 1;
                table.known += 1;
            }
            State::In(Standing::Shared) => {
                at.shared += 1;
                table.shared += 1;
            }
        }
        table.leave(self.origin, *state);
        *state = to;
        self.connections.gauge(table);
    }

    fn fall_silent_no_more(&self, table: &mut Table, state: State) {
        if state == State::Silent
            && let Some(at) = table.origins.get_mut(&self.origin)
        {
            at.silent.retain(|(number, _)| *number != self.number);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut table = self.connections.lock();
        if self.evicted.is_cancelled() {
            return;
        }
        let state = *self.state();
        self.fall_silent_no_more(&mut table, state);
        table.leave(self.origin, state);
        self.connections.gauge(&table);
    }
}

/// Handle to the registration of a connection that serves one person, to mark it as signed in.
#[derive(Clone, Debug, Default)]
pub struct Caller(Option<Arc<Slot>>);

impl Caller {
    /// Creates a handle to a registration.
    pub fn at(slot: &Arc<Slot>) -> Self {
        Self(Some(Arc::clone(slot)))
    }

    /// Marks the connection as signed in.
    ///
    /// # Errors
    /// Returns an error if the limit is reached.
    pub fn signed_in(&self) -> Result<(), Full> {
        self.0.as_ref().map_or(Ok(()), |slot| slot.sign_in(Standing::Known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: MostConnections = MostConnections {
        unauthenticated: 6,
        unauthenticated_per_address: 4,
        signed_in: 5,
        shared: 3,
        shared_per_address: 2,
    };

    fn from(host: u8, port: u16) -> SocketAddr {
        ([10, 0, 0, host], port).into()
    }

    fn is_empty(connections: &Connections) -> bool {
        let table = connections.lock();
        table.origins.is_empty() && table.unauthenticated + table.known + table.shared == 0
    }

    #[test]
    fn one_address_displaces_its_own_oldest_and_nobody_else() {
        let connections = Connections::new("test", MOST);
        let neighbour = connections.enter(from(2, 1)).unwrap();
        let held: Vec<_> = (0..10).map(|port| connections.enter(from(1, port)).unwrap()).collect();
        let evicted: Vec<bool> = held.iter().map(|slot| slot.evicted().is_cancelled()).collect();
        assert_eq!(evicted, [true, true, true, true, true, true, false, false, false, false]);
        assert_eq!(held[0].sign_in(Standing::Known), Err(Full::Unauthenticated), "it comes too late");
        assert!(!neighbour.evicted().is_cancelled());
        drop((held, neighbour));
        assert!(is_empty(&connections));
    }

    #[test]
    fn when_all_places_are_held_the_address_with_most_makes_room_for_a_button() {
        let connections = Connections::new("test", MOST);
        let strangers: Vec<_> = (0..4).map(|port| connections.enter(from(1, port)).unwrap()).collect();
        let more: Vec<_> = (0..2).map(|port| connections.enter(from(2, port)).unwrap()).collect();
        let button = connections.enter(from(3, 1)).unwrap();
        assert!(strangers[0].evicted().is_cancelled() && !strangers[1].evicted().is_cancelled());
        assert!(more.iter().all(|slot| !slot.evicted().is_cancelled()));
        button.judge();
        button.sign_in(Standing::Known).unwrap();
        drop((strangers, more, button));
        assert!(is_empty(&connections));
    }

    #[test]
    fn who_is_being_judged_keeps_the_place() {
        let connections = Connections::new("test", MOST);
        let judged: Vec<_> = (0..4).map(|port| connections.enter(from(1, port)).unwrap()).collect();
        judged.iter().for_each(Slot::judge);
        assert_eq!(connections.enter(from(1, 9)).unwrap_err(), Full::Unauthenticated);
        assert!(connections.enter(from(2, 9)).is_ok(), "another address has its own");
        assert!(judged.iter().all(|slot| !slot.evicted().is_cancelled()));
        judged[2].turn_away();
        let newcomer = connections.enter(from(1, 9)).unwrap();
        assert!(judged[2].evicted().is_cancelled(), "who hears that it isn't let in makes room");
        drop((judged, newcomer));
        assert!(is_empty(&connections));
    }

    #[test]
    fn those_who_share_a_code_leave_room_for_those_who_are_known() {
        let connections = Connections::new("test", MOST);
        let slot = |host, port, standing| {
            let slot = connections.enter(from(host, port)).unwrap();
            slot.sign_in(standing).map(|()| slot)
        };
        let one = [slot(1, 1, Standing::Shared).unwrap(), slot(1, 2, Standing::Shared).unwrap()];
        assert_eq!(slot(1, 3, Standing::Shared).unwrap_err(), Full::Shared, "of one address");
        let other = slot(2, 1, Standing::Shared).unwrap();
        assert_eq!(connections.is_full(), Some(Full::Shared));
        assert_eq!(slot(3, 1, Standing::Shared).unwrap_err(), Full::Shared, "of all");
        let known = [slot(1, 4, Standing::Known).unwrap(), slot(4, 1, Standing::Known).unwrap()];
        assert_eq!(connections.is_full(), Some(Full::SignedIn));
        assert_eq!(slot(5, 1, Standing::Known).unwrap_err(), Full::SignedIn);
        drop((one, other, known));
        assert!(is_empty(&connections) && connections.is_full().is_none());
    }

    #[test]
    fn a_host_with_many_ipv6_addresses_is_one() {
        let connections = Connections::new("test", MOST);
        let held: Vec<_> = (0..5_u16)
            .map(|host| connections.enter(SocketAddr::new(Ipv6Addr::new(0xfd00, 0, 0, 7, 1, 2, 3, host).into(), 1)))
            .map(Result::unwrap)
            .collect();
        assert!(held[0].evicted().is_cancelled());
        assert_eq!(
            Origin::from(IpAddr::from([10, 0, 0, 1])),
            Origin::from("::ffff:10.0.0.1".parse::<IpAddr>().unwrap())
        );
    }
}
