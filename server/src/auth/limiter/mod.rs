//! The sign-in rate limiter, which bounds how often a PIN or password can be guessed.
//!
//! Each attempt is charged before its secret is checked. Guesses from unknown devices don't slow a person down on a
//! known device:
//!
//! - **A known device** (the person has signed in on it before) has its own back-off for that person, and no other
//!   limit applies to it. It is identified by a random id that it made itself and that the server discloses to nobody,
//!   not even to a colleague on the same tablet; a made-up id counts as an unknown device. An address doesn't serve as
//!   the identity, because a tablet's address changes, and an attacker with many addresses could start again from each.
//!   Five wrong secrets are free; then the waits are 10 s, 20 s, 40 s … up to an hour.
//! - **An unknown device** is identified by its address, because a device id is easily made up. Three limits apply: the
//!   address's budget for all names (30, and ten more a minute), the address's back-off for that person, as above, and
//!   the person's single budget for all unknown devices together (10, and one more an hour). One address can't exhaust
//!   the last budget alone, because its own back-off refills no faster. Many addresses together can; then the person
//!   signs in on a device that they have used before, or on a new one once somebody with the right has set a new PIN,
//!   which resets the counters.
//! - **An unknown name** is limited like a person's, so that a wait doesn't reveal which names exist.
//!
//! Arithmetic for a PIN of four digits, 10,000 of them. At a known device: 5 free guesses, 9 within the next 85
//! minutes, then one an hour: 37 on the first day and 24 on each further one. From all unknown devices together: 34 on
//! the first day, 24 on each further one. Either way all PINs take 416 days, 7 % of them a month; waiting until the
//! wrong ones are forgotten (a day) yields less, 14 a day. The site's supervisors, dispatchers and admins are notified
//! at the fifth wrong secret. `a_four_digit_pin_holds_for_a_year_against_a_known_device_and_against_the_world`
//! simulates this.
//!
//! Because an attempt is charged before its secret is checked and refunded when it was right, concurrent attempts can't
//! bypass the limits. Memory is bounded by the number of people, and per person by [`REQUESTERS`]; unknown names share
//! [`SLOTS`] records. No collection of that size is ever scanned or pruned. The counters are in memory only, so a
//! restart of the server clears them.

mod pace;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crewbell_shared::ids::{DeviceId, PersonId, SiteId};
use crewbell_shared::{Code, Refusal};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use self::pace::{BackOff, Budget, FREE, Rate, Tally};
use crate::clock::Ids;

/// Budget of one address for attempts from unknown devices, for all names together: a whole crew with new tablets
/// behind one access point gets in, and one PIN can't be tried on everybody.
const BY_ADDRESS: Rate = Rate { most: 30, every: SignedDuration::from_secs(6) };

/// Budget of one person for attempts from all unknown devices together.
const BY_STRANGERS: Rate = Rate { most: 10, every: SignedDuration::from_hours(1) };

/// Maximum number of devices, and of addresses, whose back-off is kept for one person. Beyond it, the back-off charged
/// longest ago is dropped. Known devices are only those that the person has used; addresses are also limited by
/// [`BY_STRANGERS`].
const REQUESTERS: usize = 32;

/// Number of records for unknown names. Names are hashed onto them.
const SLOTS: u16 = 1024;

/// Maximum number of addresses in each of the two generations of [`Generations`].
const ADDRESSES: usize = 4096;

/// Number of wrong secrets for one person at which the supervisors are first notified.
const TELL_OF_PERSON: u32 = FREE;

/// Number of wrong secrets at a site, for all names together, at which the supervisors are first notified: one secret
/// tried on everybody shows up at no single person.
const TELL_OF_SITE: u32 = 30;

/// The sign-in rate limiter of a server.
#[derive(Debug)]
pub struct LoginRateLimiter {
    counted: Mutex<Counted>,
    /// Salt of the hash that maps unknown names to records, so that nobody can tell which names share one.
    salt: [u8; 16],
}

/// The identity that an attempt claims.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// A known person, however their name was spelt, and whether or not the site was named.
    Person(SiteId, PersonId),
    /// An unknown name, or an unknown site.
    Nobody {
        /// The site, if known.
        site: Option<SiteId>,
        /// The name as it was typed.
        name: &'a str,
    },
}

/// The origin of an attempt.
#[derive(Clone, Copy, Debug)]
pub enum Requester {
    /// A device on which the person has signed in before.
    Device(DeviceId),
    /// Any other device, by its address.
    Stranger(IpAddr),
}

/// A charged attempt whose result is pending. It stays charged if it is dropped, so that closing the connection gives
/// no free guess.
#[derive(Debug)]
pub struct Attempt {
    record: RecordKey,
    site: Option<SiteId>,
    requester: Key,
}

/// Notifications about wrong secrets that are due to the site's supervisors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Number of wrong secrets for the person, if a notification is due.
    pub person: Option<u32>,
    /// Number of wrong secrets at the site, if a notification is due.
    pub site: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RecordKey {
    Person(SiteId, PersonId),
    Slot(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Device(DeviceId),
    Address(IpAddr),
}

#[derive(Debug, Default)]
struct Counted {
    records: BTreeMap<RecordKey, Record>,
    addresses: Generations,
    sites: BTreeMap<SiteId, Tally>,
}

/// The counters of one person. Devices and addresses are separate, so that an attacker with many addresses never evicts
/// a device's back-off.
#[derive(Debug)]
struct Record {
    devices: BTreeMap<Key, BackOff>,
    addresses: BTreeMap<Key, BackOff>,
    strangers: Budget,
    tally: Tally,
}

/// Budgets of addresses in two generations. When the young generation is full, it replaces the old one.
#[derive(Debug, Default)]
struct Generations {
    young: BTreeMap<IpAddr, Budget>,
    old: BTreeMap<IpAddr, Budget>,
}

impl LoginRateLimiter {
    /// Creates a limiter with empty counters.
    pub fn new(ids: &Ids) -> Self {
        Self { counted: Mutex::default(), salt: ids.bytes() }
    }

    /// Charges an attempt before its secret is checked.
    ///
    /// # Errors
    /// Returns `slow_down` with the seconds to wait; nothing is charged then.
    pub fn charge(&self, claim: Claim<'_>, requester: Requester, now: Timestamp) -> Result<Attempt, Refusal> {
        let (record_key, site) = self.record_of(claim);
        let requester = match requester {
            Requester::Device(device) => Key::Device(device),
            Requester::Stranger(address) => Key::Address(network(address)),
        };
        let mut counted = self.counted();
        let Counted { records, addresses, .. } = &mut *counted;
        let record = records.entry(record_key).or_insert_with(|| Record::new(now));
        let back_off = record.back_off(requester, now);
        let mut wait = back_off.wait(now);
        if let Key::Address(address) = requester {
            let budget = addresses.budget(address, now);
            wait = wait.max(budget.wait(BY_ADDRESS, now)).max(record.strangers.wait(BY_STRANGERS, now));
            if wait.is_zero() {
                budget.charge();
                record.strangers.charge();
            }
        }
        if !wait.is_zero() {
            return Err(slow_down(wait));
        }
        record.back_off(requester, now).charge(now);
        Ok(Attempt { record: record_key, site, requester })
    }

    /// Records that the secret was right: refunds the budgets and resets the requester's back-off.
    pub fn right(&self, attempt: &Attempt) {
        let mut counted = self.counted();
        counted.refund_budgets(attempt);
        if let Some(record) = counted.records.get_mut(&attempt.record) {
            record.requesters(attempt.requester).remove(&attempt.requester);
        }
    }

    /// Records that the secret couldn't be checked: the attempt is refunded.
    pub fn undecided(&self, attempt: &Attempt) {
        let mut counted = self.counted();
        counted.refund_budgets(attempt);
        let record = counted.records.get_mut(&attempt.record);
        let requesters = record.map(|record| record.requesters(attempt.requester));
        if let Some(back_off) = requesters.and_then(|requesters| requesters.get_mut(&attempt.requester)) {
            back_off.refund();
        }
    }

    /// Records that the secret was wrong: the charge stays. Returns the notifications that are due.
    pub fn wrong(&self, attempt: &Attempt, now: Timestamp) -> Alarm {
        let mut counted = self.counted();
        let Counted { records, sites, .. } = &mut *counted;
        let person = match attempt.record {
            RecordKey::Person(..) => {
                records.get_mut(&attempt.record).and_then(|record| record.tally.count(TELL_OF_PERSON, now))
            }
            RecordKey::Slot(_) => None,
        };
        let site = attempt.site.and_then(|site| sites.entry(site).or_default().count(TELL_OF_SITE, now));
        Alarm { person, site }
    }

    /// Clears a person's counters after they got a new secret, because guesses at the old one reveal nothing about it.
    pub fn forget(&self, site: SiteId, person: PersonId) {
        self.counted().records.remove(&RecordKey::Person(site, person));
    }

    fn record_of(&self, claim: Claim<'_>) -> (RecordKey, Option<SiteId>) {
        match claim {
            Claim::Person(site, person) => (RecordKey::Person(site, person), Some(site)),
            Claim::Nobody { site, name } => {
                let mut hash = Sha256::new_with_prefix(self.salt);
                hash.update(site.map(|site| site.0).unwrap_or_default());
                hash.update(name.trim().to_lowercase());
                let [high, low, ..] = *hash.finalize().as_slice() else { return (RecordKey::Slot(0), site) };
                (RecordKey::Slot(u16::from_be_bytes([high, low]) % SLOTS), site)
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of records, of requesters in them, and of addresses.
    #[cfg(test)]
    fn size(&self) -> (usize, usize, usize) {
        let counted = self.counted();
        let requesters = counted.records.values().map(|record| record.devices.len() + record.addresses.len()).sum();
        (counted.records.len(), requesters, counted.addresses.young.len() + counted.addresses.old.len())
    }
}

impl Counted {
    fn refund_budgets(&mut self, attempt: &Attempt) {
        let Key::Address(address) = attempt.requester else { return };
        if let Some(record) = self.records.get_mut(&attempt.record) {
            record.strangers.refund(BY_STRANGERS);
        }
        if let Some(budget) = self.addresses.young.get_mut(&address) {
            budget.refund(BY_ADDRESS);
        }
    }
}

impl Record {
    fn new(now: Timestamp) -> Self {
        let strangers = Budget::full(BY_STRANGERS, now);
        Self { devices: BTreeMap::new(), addresses: BTreeMap::new(), strangers, tally: Tally::default() }
    }

    fn requesters(&mut self, key: Key) -> &mut BTreeMap<Key, BackOff> {
        match key {
            Key::Device(_) => &mut self.devices,
            Key::Address(_) => &mut self.addresses,
        }
    }

    fn back_off(&mut self, requester: Key, now: Timestamp) -> &mut BackOff {
        let requesters = self.requesters(requester);
        if requesters.len() >= REQUESTERS && !requesters.contains_key(&requester) {
            let oldest = requesters.iter().min_by_key(|(_, back_off)| back_off.at()).map(|(key, _)| *key);
            oldest.and_then(|key| requesters.remove(&key));
        }
        requesters.entry(requester).or_insert_with(|| BackOff::new(now))
    }
}

impl Generations {
    fn budget(&mut self, address: IpAddr, now: Timestamp) -> &mut Budget {
        if self.young.len() >= ADDRESSES && !self.young.contains_key(&address) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young
            .entry(address)
            .or_insert_with(|| old.remove(&address).unwrap_or_else(|| Budget::full(BY_ADDRESS, now)))
    }
}

/// Returns the part of an address that one requester can't change at will: all of IPv4, the first 64 bits of IPv6 (RFC
/// 4291, 2.5.4).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

fn slow_down(wait: SignedDuration) -> Refusal {
    let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    Refusal::new(Code::SlowDown, format!("Too many attempts. Try again in {seconds} s."))
        .with("retry_after_s", &seconds)
}
