//! The sign-in limiter: how often a PIN or password may be guessed.
//!
//! Whoever asks pays first, and a stranger's guesses never cost a colleague theirs:
//!
//! - **A known device** (the person has signed in on it before) has a back-off of its own for that person, and nothing
//!   else counts there. It is known by an id that it made by lot and that the server tells nobody, a colleague on the
//!   same tablet neither: who made one up elsewhere is a stranger. An address wouldn't do in its place, as a tablet
//!   gets another from time to time, and whoever has many could guess anew from each. Five wrong secrets are free; then
//!   the waits are 10 s, 20 s, 40 s … up to an hour.
//! - **An unknown device** is told by its address, because a device id is easily made up: first the address's budget
//!   for all names (30, and ten more a minute), then the address's back-off for that person, as above, and then the
//!   person's one budget for all unknown devices together (10, and one more an hour). An address alone can't use that
//!   budget up, because its own back-off refills no faster; many addresses together can, and then the person signs in on
//!   a device that they have used before, or on a new one once somebody with the right has set a new PIN, which forgets
//!   what was counted.
//! - **A name that is nobody's** is slowed like a person's, so that a wait doesn't tell which names there are.
//!
//! Arithmetic for a PIN of four digits, 10,000 of them. At a known device: 5 free guesses, 9 within the next 85 minutes,
//! then one an hour: 37 on the first day and 24 on each further one. All unknown devices of the world together: 34 on
//! the first day, 24 on each further one. Either way all PINs take 416 days, 7 % of them a month; waiting until the
//! wrong ones are forgotten (a day) yields less, 14 a day. Those who lead are told after the fifth wrong secret.
//! `a_four_digit_pin_holds_for_a_year_against_a_known_device_and_against_the_world` plays that through.
//!
//! An attempt is charged before the secret is looked at and taken back when it was right: attempts side by side are no
//! way around. Memory is bounded by the number of people, and per person by [`REQUESTERS`]; names that are nobody's
//! share [`SLOTS`] records; nothing of that size is ever searched through or pruned. It is kept in memory only, so a restart of the server
//! forgives.

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

/// An address's attempts from unknown devices, whatever the name: a whole crew with new tablets behind one access
/// point gets in, and one PIN can't be tried on everybody.
const BY_ADDRESS: Rate = Rate { most: 30, every: SignedDuration::from_secs(6) };

/// A person's attempts from all unknown devices together.
const BY_STRANGERS: Rate = Rate { most: 10, every: SignedDuration::from_hours(1) };

/// Devices, and addresses, whose back-off is kept for one person; of more, the one charged longest ago is forgotten.
/// Known devices are as many as the person has; of the addresses the budget for strangers takes care.
const REQUESTERS: usize = 32;

/// Records for names that are nobody's, each shared by the names that fall on it.
const SLOTS: u16 = 1024;

/// Addresses whose budget is kept, twice: the newest, and those before them.
const ADDRESSES: usize = 4096;

/// Wrong secrets for one person after which those who lead are told.
const TELL_OF_PERSON: u32 = FREE;

/// Wrong secrets at a site, whatever the name, after which those who lead are told: one secret tried on everybody
/// shows at no single person.
const TELL_OF_SITE: u32 = 30;

/// The sign-in limiter of a server.
#[derive(Debug)]
pub struct LoginLimiter {
    counted: Mutex<Counted>,
    /// Hides which names share a record.
    salt: [u8; 16],
}

/// Whom somebody says to be.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// A person, by whatever spelling of their name, whether or not the site was named.
    Person(SiteId, PersonId),
    /// Nobody: an unknown name, or an unknown site.
    Nobody {
        /// The site, where it is known.
        site: Option<SiteId>,
        /// The name as it was typed.
        name: &'a str,
    },
}

/// Where an attempt comes from.
#[derive(Clone, Copy, Debug)]
pub enum Requester {
    /// A device on which the person has signed in before.
    Device(DeviceId),
    /// Any other, by its address.
    Stranger(IpAddr),
}

/// An attempt that was charged and isn't decided yet. One that is dropped undecided stays charged: hanging up is no way
/// to a free guess.
#[derive(Debug)]
pub struct Attempt {
    record: RecordKey,
    site: Option<SiteId>,
    requester: Key,
}

/// What those who lead are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Wrong secrets for the person, when it is time to tell of them.
    pub person: Option<u32>,
    /// Wrong secrets at the site, when it is time to tell of them.
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

/// What is counted of one person. Devices and addresses are apart: addresses, which a stranger may have many of, never
/// push a device's back-off out.
#[derive(Debug)]
struct Record {
    devices: BTreeMap<Key, BackOff>,
    addresses: BTreeMap<Key, BackOff>,
    strangers: Budget,
    tally: Tally,
}

/// Budgets of addresses in two generations: when the young one is full it becomes the old one, and the old one goes.
#[derive(Debug, Default)]
struct Generations {
    young: BTreeMap<IpAddr, Budget>,
    old: BTreeMap<IpAddr, Budget>,
}

impl LoginLimiter {
    /// Nothing counted yet.
    pub fn new(ids: &Ids) -> Self {
        Self { counted: Mutex::default(), salt: ids.bytes() }
    }

    /// Charges an attempt before its secret is looked at.
    ///
    /// # Errors
    /// `slow_down` with the seconds to wait; then nothing is charged.
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

    /// The secret was right: what it was charged is taken back, and the requester's back-off ends.
    pub fn right(&self, attempt: &Attempt) {
        let mut counted = self.counted();
        counted.refund_budgets(attempt);
        if let Some(record) = counted.records.get_mut(&attempt.record) {
            record.requesters(attempt.requester).remove(&attempt.requester);
        }
    }

    /// It could not be found out whether the secret was right: nothing was learned, and nothing is charged.
    pub fn undecided(&self, attempt: &Attempt) {
        let mut counted = self.counted();
        counted.refund_budgets(attempt);
        let record = counted.records.get_mut(&attempt.record);
        let requesters = record.map(|record| record.requesters(attempt.requester));
        if let Some(back_off) = requesters.and_then(|requesters| requesters.get_mut(&attempt.requester)) {
            back_off.refund();
        }
    }

    /// The secret was wrong: the charge stays. Says what those who lead are to be told.
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

    /// Forgets what was counted of a person: they have a new secret, and what was learned of the old one is worth
    /// nothing.
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

    /// Records, requesters of them, addresses: how much is kept.
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

/// The part of an address that one requester can't change at will: all of IPv4, the first 64 bits of IPv6 (RFC 4291,
/// 2.5.4).
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
