//! Counters for messages that are not presses. They are kept in memory and written in batches, so that a chatty device
//! costs little.
//!
//! Names that a sender chooses freely (topics, unknown devices) are limited per sender, so that a sender of a thousand
//! invented names displaces no other sender's entries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crewbell_shared::ids::SiteId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};

use crate::actions::CountUnrecognised;
use crate::clock::Clock;
use crate::db::buttons::address_of;
use crate::db::unrecognised::StoredMessage as Row;
use crate::site_registry::OpenSite;

/// Maximum number of pending counters; further ones are counted in the metrics only.
const WAITING: usize = 1024;

/// Maximum number of distinct counters per client and hour; the excess shares one entry.
const OF_ONE: usize = 48;

/// Maximum number of distinct counters per address and hour, over all its client ids; less than half of a site's
/// capacity for unassigned devices.
const OF_AN_ADDRESS: usize = 4 * OF_ONE;

/// Window of the limits per sender.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Maximum number of clients tracked, and of addresses.
const REMEMBERED: usize = 1024;

/// Reason of the entry for the messages over the limit.
const TOO_MANY: &str = "too_many_sorts";

/// Size of the payload sample for the administrator, in bytes.
const SAMPLE: usize = 512;

/// Sample size, in bytes, for a message with an unknown word that the site can teach: a radio server puts the word
/// after a kilobyte of other fields.
const SAMPLE_OF_A_WORD: usize = 8 * 1024;

/// Maximum length of a stored topic, in characters.
const TOPIC: usize = 300;

/// Interval at which pending counters are written.
const EVERY: Duration = Duration::from_secs(2);

/// Key of a counter: device, reason and topic.
type Sort = (String, &'static str, String);
type Waiting = BTreeMap<(SiteId, Sort), (Arc<OpenSite>, Row)>;

/// The pending counters.
#[derive(Clone, Debug)]
pub(super) struct UnrecognisedMessages {
    counts: Arc<Mutex<Counts>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: Waiting,
    shares: Shares,
}

/// The limits per address and per client.
#[derive(Debug, Default)]
struct Shares {
    addresses: Brought,
    clients: Brought,
}

/// The distinct counters of each sender, and the start of its window.
#[derive(Debug, Default)]
struct Brought(HashMap<(SiteId, String), (Timestamp, BTreeSet<Sort>)>);

impl UnrecognisedMessages {
    /// Starts the background task that writes the counters; it ends when the last handle is dropped.
    pub(super) fn start(clock: Clock) -> Self {
        let unrecognised = Self { counts: Arc::default(), clock };
        let counts = Arc::downgrade(&unrecognised.counts);
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
                    // A lost count is acceptable and not logged; the metrics have it.
                    let _ = site.act(Box::new(CountUnrecognised(rows)), Actor::System, Source::Server).await;
                }
            }
        });
        unrecognised
    }

    /// Counts a message. `via`: its sender, if known.
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
    /// Whether a sender may use a counter, under the limits of its client and its address: an existing one always, a
    /// new one while there is capacity. A permitted use is recorded.
    fn has_room(&mut self, (site, via): (SiteId, &str), sort: &Sort, now: Timestamp) -> bool {
        let (address, client) = ((site, address_of(via).to_owned()), (site, via.to_owned()));
        // Behind a broker, all messages have the same sender.
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
        // A chatty client leaves its neighbours behind the same router their share.
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
