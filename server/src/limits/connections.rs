//! Who may be connected beside whom.
//!
//! A connection is *unauthenticated* until it has signed in. Those have an allowance of their own, and within it one
//! for each address; when it is used up, a newcomer takes the place of the oldest that says nothing, from the address
//! that has most of them. A button says who it is within milliseconds, so whoever holds sockets open keeps nobody out.
//! Those that have signed in have an allowance too, and part of it is kept for those with a secret of their own.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// How many connections there may be at one door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostConnections {
    /// That haven't signed in.
    pub unauthenticated: usize,
    /// That haven't signed in, from one address.
    pub unauthenticated_per_address: usize,
    /// That have signed in, all together.
    pub signed_in: usize,
    /// That have signed in by what many know: a join code, or nothing.
    pub shared: usize,
    /// That have signed in by what many know, from one address.
    pub shared_per_address: usize,
}

/// How a connection has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// By a secret of its own.
    Known,
    /// By what many know: a join code, or nothing.
    Shared,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Every unauthenticated connection is just being judged.
    #[error("too many connections that haven't signed in")]
    Unauthenticated,
    /// All places for those who have signed in are taken.
    #[error("too many connections")]
    SignedIn,
    /// The places for those who share a secret are taken; those with a secret of their own still have some.
    #[error("too many connections by a shared code")]
    Shared,
}

/// Where a connection comes from: an IPv4 address, or the network of an IPv6 one, since a host has as many as it likes.
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

/// The connections of one door.
#[derive(Clone, Debug)]
pub struct Connections {
    door: &'static str,
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

/// The connections from one address.
#[derive(Debug, Default)]
struct At {
    /// Those that have said nothing yet, the oldest first.
    silent: VecDeque<(u64, CancellationToken)>,
    unauthenticated: usize,
    known: usize,
    shared: usize,
}

impl Connections {
    /// Room for so many; the name stands in metrics.
    pub fn new(door: &'static str, most: MostConnections) -> Self {
        Self { door, most, table: Arc::default() }
    }

    /// Enters a connection that was accepted, if need be in the place of an older one, which is told to end.
    ///
    /// # Errors
    /// Nobody can be asked to make room.
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

    /// What there is no room for any more, if so: for whoever watches the server.
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

    /// Whether anybody is connected.
    #[cfg(test)]
    pub(crate) fn is_anybody_there(&self) -> bool {
        !self.lock().origins.is_empty()
    }

    /// How many there may be.
    pub fn most(&self) -> MostConnections {
        self.most
    }

    fn count(&self, what: &'static str) {
        metrics::counter!("connections_turned_away_total", "door" => self.door, "how" => what).increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of connections")]
    fn gauge(&self, table: &Table) {
        let states = [("unauthenticated", table.unauthenticated), ("known", table.known), ("shared", table.shared)];
        for (state, count) in states {
            metrics::gauge!("connections", "door" => self.door, "state" => state).set(count as f64);
        }
    }

    /// Nothing panics while it is held, so a poisoned lock is still good.
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
    /// Has said nothing that could be judged.
    Silent,
    /// Has said who it is, and is being judged.
    Judged,
    In(Standing),
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    connections: Connections,
    number: u64,
    origin: Origin,
    evicted: CancellationToken,
    state: Mutex<State>,
}

impl Slot {
    /// Cancelled when the connection is to end because a newcomer has its place.
    pub fn evicted(&self) -> &CancellationToken {
        &self.evicted
    }

    /// Where the connection comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Keeps the place while somebody finds out who this is. That must take a limited time.
    pub fn judge(&self) {
        self.change(State::Judged);
    }

    /// It was judged, and is not let in: it may have to make room again while it hears so.
    pub fn turn_away(&self) {
        let mut table = self.connections.lock();
        let mut state = self.state();
        if *state == State::Judged && !self.evicted.is_cancelled() {
            *state = State::Silent;
            table.origins.entry(self.origin).or_default().silent.push_back((self.number, self.evicted.clone()));
        }
    }

    /// Moves among those who have signed in.
    ///
    /// # Errors
    /// There is no room among them; the connection stays what it was. Or it has had to make room already.
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
        // Who was evicted has left already.
        if self.evicted.is_cancelled() {
            return;
        }
        self.fall_silent_no_more(table, *state);
        // In before out, so that the address isn't forgotten between.
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

/// Whoever is at the other end of a connection that speaks for one person, to be told when that one is known.
#[derive(Clone, Debug, Default)]
pub struct Caller(Option<Arc<Slot>>);

impl Caller {
    /// Whoever is at this place.
    pub fn at(slot: &Arc<Slot>) -> Self {
        Self(Some(Arc::clone(slot)))
    }

    /// It has proved who it is, and may stay.
    ///
    /// # Errors
    /// As many as may be are connected already.
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
