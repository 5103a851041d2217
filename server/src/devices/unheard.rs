//! Messages that are no press: counted in memory, and written a few at a time, so that a babbling device costs nothing.
//!
//! What can be named freely (a topic, a device that nobody knows) is bounded for each of those who name it, so that one
//! who invents a thousand takes no line from the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};

use crate::actions::CountUnheard;
use crate::clock::Clock;
use crate::db::buttons::address_of;
use crate::db::unheard::Unheard as Row;
use crate::house::OpenSite;

/// Sorts of messages that wait to be written, at most; more are counted in the metrics only.
const WAITING: usize = 1024;

/// Sorts of messages that one client may bring in an hour; more are one line.
const OF_ONE: usize = 48;

/// Sorts of messages that one address may bring in an hour, under whatever client ids; less than half of what a site keeps
/// of devices that nobody assigned.
const OF_AN_ADDRESS: usize = 4 * OF_ONE;

/// How long the sorts of one are remembered.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Clients whose sorts are remembered, and as many addresses.
const REMEMBERED: usize = 1024;

/// The reason of the line for all that was brought beyond a share.
const TOO_MANY: &str = "too_many_sorts";

/// Bytes of a message that are kept for the administrator to look at.
const SAMPLE: usize = 512;

/// The same of one whose word can be taught: a radio server's says it after a kilobyte of its own.
const SAMPLE_OF_A_WORD: usize = 8 * 1024;

/// Characters of a topic that are kept.
const TOPIC: usize = 300;

/// How long counts wait to be written.
const EVERY: Duration = Duration::from_secs(2);

/// Which device, why, and on which topic.
type Sort = (String, &'static str, String);
type Waiting = BTreeMap<(SiteId, Sort), (Arc<OpenSite>, Row)>;

/// The counts that wait.
#[derive(Clone, Debug)]
pub(super) struct Unheard {
    counts: Arc<Mutex<Counts>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: Waiting,
    shares: Shares,
}

/// What each address and each of its clients has brought.
#[derive(Debug, Default)]
struct Shares {
    addresses: Brought,
    clients: Brought,
}

/// The sorts that each has brought, and since when they are counted.
#[derive(Debug, Default)]
struct Brought(HashMap<(SiteId, String), (Timestamp, BTreeSet<Sort>)>);

impl Unheard {
    /// Starts writing, for as long as anybody counts.
    pub(super) fn start(clock: Clock) -> Self {
        let unheard = Self { counts: Arc::default(), clock };
        let counts = Arc::downgrade(&unheard.counts);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(counts) = counts.upgrade() else { return };
                let waiting = std::mem::take(&mut counts.lock().unwrap_or_else(PoisonError::into_inner).waiting);
                let mut of_sites: BTreeMap<SiteId, (Arc<OpenSite>, Vec<Row>)> = BTreeMap::new();
                for ((id, _), (site, row)) in waiting {
                    of_sites.entry(id).or_insert_with(|| (site, Vec::new())).1.push(row);
                }
                for (site, rows) in of_sites.into_values() {
                    // A count that can't be written is no loss worth a word; the metrics have it.
                    let _ = site.act(Box::new(CountUnheard(rows)), Actor::System, Source::Server).await;
                }
            }
        });
        unheard
    }

    /// Counts a message. `via`: who brought it, where that is known.
    pub(super) fn count(
        &self,
        site: &Arc<OpenSite>,
        via: Option<&str>,
        device: &str,
        reason: &'static str,
        topic: &str,
        payload: &[u8],
    ) {
        let now = self.clock.now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { waiting, shares } = &mut *counts;
        let topic: String = topic.replace('\0', "").chars().take(TOPIC).collect();
        let sort = (device.to_owned(), reason, topic);
        let sort = if shares.has_room((site.id, via.unwrap_or_default()), &sort, now) {
            sort
        } else {
            (String::new(), TOO_MANY, String::new())
        };
        let key = (site.id, sort);
        if waiting.len() >= WAITING && !waiting.contains_key(&key) {
            return;
        }
        let (device, reason, topic) = key.1.clone();
        let reason_has_a_word = reason == "unknown_word";
        let (_, row) = waiting.entry(key).or_insert_with(|| {
            let row = Row { device, reason: reason.to_owned(), topic, sample: Vec::new(), times: 0, last_at: now };
            (Arc::clone(site), row)
        });
        row.times += 1;
        let most = if reason_has_a_word { SAMPLE_OF_A_WORD } else { SAMPLE };
        row.sample = payload[..payload.len().min(most)].to_vec();
        row.last_at = now;
    }
}

impl Shares {
    /// Whether somebody may bring a sort, as this client and from this address: one that it has brought already, or one
    /// more.
    fn has_room(&mut self, (site, via): (SiteId, &str), sort: &Sort, now: Timestamp) -> bool {
        let (address, client) = ((site, address_of(via).to_owned()), (site, via.to_owned()));
        // Behind a broker all come from one.
        let (of_address, of_client) = if via.is_empty() { (WAITING, WAITING) } else { (OF_AN_ADDRESS, OF_ONE) };
        let room = self.addresses.has_room(&address, sort, of_address, now)
            && self.clients.has_room(&client, sort, of_client, now);
        if room {
            self.addresses.add(address, sort, now);
            self.clients.add(client, sort, now);
        }
        room
    }
}

impl Brought {
    fn has_room(&self, who: &(SiteId, String), sort: &Sort, most: usize, now: Timestamp) -> bool {
        let lately = self.0.get(who).filter(|(since, _)| is_recent(*since, now));
        lately.is_none_or(|(_, sorts)| sorts.contains(sort) || sorts.len() < most)
    }

    fn add(&mut self, who: (SiteId, String), sort: &Sort, now: Timestamp) {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, (since, _)| is_recent(*since, now));
        }
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        let (since, sorts) = self.0.entry(who).or_insert_with(|| (now, BTreeSet::new()));
        if !is_recent(*since, now) {
            *since = now;
            sorts.clear();
        }
        if !sorts.contains(sort) {
            sorts.insert(sort.clone());
        }
    }
}

fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since).abs() < REMEMBERED_FOR
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_invents_a_thousand_names_takes_no_line_from_others() {
        let site = SiteId(Uuid::from_u128(1));
        let at = |seconds: i64| Timestamp::from_second(1_790_000_000 + seconds).unwrap();
        let sort = |number: usize| (format!("device-{number}"), "unknown_shape", String::new());
        let mut shares = Shares::default();
        let invented = (0..1000).filter(|number| shares.has_room((site, "10.0.0.9 x"), &sort(*number), at(0))).count();
        assert_eq!(invented, OF_ONE);
        assert!(shares.has_room((site, "10.0.0.9 x"), &sort(0), at(1)), "what it brought before goes on being counted");
        assert!(shares.has_room((site, "10.0.0.5 c5"), &sort(7), at(1)));
        assert!(shares.has_room((site, "10.0.0.9 x"), &sort(5000), at(3601)), "and an hour later it may again");
        let clients = (0..10_000).all(|number| shares.has_room((site, &number.to_string()), &sort(1), at(2)));
        assert!(clients && shares.clients.0.len() <= REMEMBERED);
    }

    #[test]
    fn an_address_has_one_share_whatever_client_ids_it_invents() {
        let site = SiteId(Uuid::from_u128(1));
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let sort = |number: usize| (format!("device-{number}"), "unknown_shape", String::new());
        let mut shares = Shares::default();
        // One client that babbles leaves its neighbours behind the same router their part.
        let babbled = (0..1000).filter(|number| shares.has_room((site, "10.0.0.5 c5"), &sort(*number), now)).count();
        assert_eq!(babbled, OF_ONE);
        assert!(shares.has_room((site, "10.0.0.5 c6"), &sort(5000), now));

        let invents = |number: usize| (format!("10.0.0.9 client-{number}"), sort(10_000 + number));
        let invented: Vec<_> = (0..10_000).map(invents).collect();
        let room = invented.iter().filter(|(via, sort)| shares.has_room((site, via), sort, now)).count();
        assert_eq!(room, OF_AN_ADDRESS);
        let (via, sort_of_it) = &invented[0];
        assert!(shares.has_room((site, via), sort_of_it, now), "what it brought before goes on being counted");
        assert!(shares.has_room((site, "10.0.0.6 cabin-6"), &sort(6), now), "an honest one elsewhere has its line");
        assert!(shares.has_room((SiteId(Uuid::from_u128(2)), "10.0.0.9 x"), &sort(7), now), "and so has another site");
        let here = |(of, who): &(SiteId, String)| *of == site && who.starts_with("10.0.0.9");
        let remembered = shares.clients.0.keys().filter(|key| here(key)).count();
        assert_eq!(remembered, OF_AN_ADDRESS, "nor does it make anything forgotten");
    }
}
