//! Registry of the devices' connections and of how the last ones ended. With it, the last will or the end of a
//! superseded connection is not applied to a device that has connected again. In memory: a new process has no old
//! connections.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crewbell_shared::ids::SiteId;
use jiff::{SignedDuration, Timestamp};

/// Maximum number of entries per table. Beyond it entries are dropped, at the cost that a resend may ring twice.
const REMEMBERED: usize = 16_384;

/// Time after a DISCONNECT for which it matters to duplicate detection: see `judge`.
const GOODBYE_MATTERS: SignedDuration = SignedDuration::from_mins(2);

/// Number of times that a client is asked to resend a message that can't be recorded at present, before it is refused.
const SENT_AWAY: u8 = 3;

/// The connections of all devices.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Open connections of buttons that authenticated as themselves.
    live: HashMap<(SiteId, Arc<str>), BTreeSet<u64>>,
    /// The newest connection on which a device connected or sent a message.
    newest: Newest,
    /// The last connection of a client, if it ended with a DISCONNECT, and the time.
    goodbyes: HashMap<(SiteId, String), (u64, Timestamp)>,
    /// The devices that a client has spoken for.
    voices: HashMap<(SiteId, String), Voice>,
}

/// The newest connection of each device. When the recent half is full it becomes the older one, and the previous older
/// half is dropped: the devices that were silent for the longest are forgotten, and never all at once.
#[derive(Debug, Default)]
struct Newest {
    recent: HashMap<(SiteId, String), u64>,
    older: HashMap<(SiteId, String), u64>,
}

impl Newest {
    fn of(&self, key: &(SiteId, String)) -> Option<u64> {
        self.recent.get(key).or_else(|| self.older.get(key)).copied()
    }

    fn raise(&mut self, key: (SiteId, String), connection: u64) {
        let newest = self.of(&key).map_or(connection, |known| known.max(connection));
        if self.recent.len() >= REMEMBERED / 2 && !self.recent.contains_key(&key) {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, newest);
    }
}

/// The devices that a client has spoken for, on this connection and earlier ones.
#[derive(Debug)]
struct Voice {
    first: String,
    is_of_many: bool,
    /// Number of times that it was asked to resend.
    sent_away: u8,
}

impl Connections {
    /// Records that a button connected as itself.
    pub(super) fn came(&self, site: SiteId, device: &Arc<str>, connection: u64) {
        self.lock().live.entry((site, Arc::clone(device))).or_default().insert(connection);
        self.spoke(site, device, connection);
    }

    /// Records that a device sent a message.
    pub(super) fn spoke(&self, site: SiteId, device: &str, connection: u64) {
        self.lock().newest.raise((site, device.to_owned()), connection);
    }

    /// Records that a client sent a message for a device.
    pub(super) fn spoke_for(&self, site: SiteId, client_id: &str, device: &str) {
        let mut inner = self.lock();
        if inner.voices.len() >= REMEMBERED {
            inner.voices.clear();
        }
        let first = || Voice { first: device.to_owned(), is_of_many: false, sent_away: 0 };
        let voice = inner.voices.entry((site, client_id.to_owned())).or_insert_with(first);
        voice.is_of_many |= voice.first != device;
    }

    /// Whether a client has spoken for one device only, so that no other device's messages wait behind it.
    pub(super) fn is_alone(&self, site: SiteId, client_id: &str) -> bool {
        self.lock().voices.get(&(site, client_id.to_owned())).is_some_and(|voice| !voice.is_of_many)
    }

    /// Whether a client may be asked to resend a message that can't be recorded at present. Allowed a few times, and
    /// only to a client that speaks for a single device: a gateway would resend it first each time and hold back the
    /// other devices' messages.
    pub(super) fn may_be_sent_away(&self, site: SiteId, client_id: &str) -> bool {
        let mut inner = self.lock();
        let Some(voice) = inner.voices.get_mut(&(site, client_id.to_owned())) else { return false };
        voice.sent_away = voice.sent_away.saturating_add(1);
        !voice.is_of_many && voice.sent_away <= SENT_AWAY
    }

    /// Whether a device has connected or spoken on a newer connection than this one. For a button that is connected as
    /// itself this holds however many other devices there are.
    pub(super) fn is_superseded(&self, site: SiteId, device: &str, connection: u64) -> bool {
        let inner = self.lock();
        let live = inner.live.get(&(site, Arc::<str>::from(device))).and_then(|live| live.last().copied());
        live.max(inner.newest.of(&(site, device.to_owned()))).is_some_and(|newest| newest > connection)
    }

    /// Whether a button that authenticated as itself is connected.
    pub(super) fn is_live(&self, site: SiteId, device: &Arc<str>) -> bool {
        self.lock().live.contains_key(&(site, Arc::clone(device)))
    }

    /// Records that a connection of a button that authenticated as itself ended.
    pub(super) fn left(&self, site: SiteId, device: &Arc<str>, connection: u64) {
        let mut inner = self.lock();
        let key = (site, Arc::clone(device));
        if let Some(live) = inner.live.get_mut(&key) {
            live.remove(&connection);
            if live.is_empty() {
                inner.live.remove(&key);
            }
        }
    }

    /// Records that a client's connection ended. `goodbye`: it ended with a DISCONNECT.
    pub(super) fn ended(&self, site: SiteId, client_id: &str, connection: u64, goodbye: bool, at: Timestamp) {
        let mut inner = self.lock();
        if inner.goodbyes.len() >= REMEMBERED {
            inner.goodbyes.retain(|_, (_, said_at)| at.duration_since(*said_at) < GOODBYE_MATTERS);
        }
        let key = (site, client_id.to_owned());
        if goodbye && inner.goodbyes.len() < REMEMBERED {
            inner.goodbyes.insert(key, (connection, at));
        } else {
            inner.goodbyes.remove(&key);
        }
    }

    /// The client's previous connection, if that ended with a DISCONNECT.
    pub(super) fn said_goodbye(&self, site: SiteId, client_id: &str, connection: u64) -> Option<u64> {
        let inner = self.lock();
        let (said, _) = inner.goodbyes.get(&(site, client_id.to_owned()))?;
        (*said < connection).then_some(*said)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SITE: SiteId = SiteId(Uuid::from_u128(1));

    #[test]
    fn what_an_older_connection_leaves_behind_is_of_the_past() {
        let connections = Connections::default();
        let device: Arc<str> = "cabin-1".into();
        connections.came(SITE, &device, 1);
        assert!(!connections.is_superseded(SITE, &device, 1));
        connections.came(SITE, &device, 2);
        assert!(connections.is_superseded(SITE, &device, 1));
        connections.left(SITE, &device, 1);
        assert!(connections.is_live(SITE, &device), "it is there on the other");
        connections.left(SITE, &device, 2);
        assert!(!connections.is_live(SITE, &device));
        assert!(!connections.is_superseded(SITE, &device, 2), "the last one's will counts");
        connections.spoke(SITE, "behind-a-gateway", 7);
        assert!(connections.is_superseded(SITE, "behind-a-gateway", 6));
    }

    #[test]
    fn a_will_that_comes_late_is_of_the_past_however_many_other_devices_speak_meanwhile() {
        let connections = Connections::default();
        let button: Arc<str> = "cabin-1".into();
        connections.came(SITE, &button, 1);
        connections.came(SITE, &button, 2);
        connections.spoke(SITE, "behind-a-gateway", 4);
        let is_known = || [("cabin-1", 1), ("behind-a-gateway", 3)].map(|(d, c)| connections.is_superseded(SITE, d, c));
        for number in 0..REMEMBERED / 2 {
            connections.spoke(SITE, &number.to_string(), 5);
        }
        assert_eq!(is_known(), [true, true], "not all is forgotten at once");
        connections.spoke(SITE, "behind-a-gateway", 4);
        for number in 0..40_000 {
            connections.spoke(SITE, &format!("another-{number}"), 6);
            if number % 1_000 == 0 {
                connections.spoke(SITE, "behind-a-gateway", 4);
            }
        }
        assert_eq!(is_known(), [true, true], "who is connected as itself, and who still speaks");
        for number in 0..REMEMBERED {
            connections.spoke(SITE, &number.to_string(), 7);
        }
        assert_eq!(is_known(), [true, false], "the oldest are forgotten");
    }

    #[test]
    fn a_goodbye_is_of_the_connection_before_and_no_other_client_s() {
        let connections = Connections::default();
        let at = |seconds: i64| Timestamp::from_second(1_790_000_000 + seconds).unwrap();
        connections.ended(SITE, "esp32", 4, true, at(0));
        assert_eq!(connections.said_goodbye(SITE, "esp32", 5), Some(4));
        assert_eq!(connections.said_goodbye(SITE, "esp32", 4), None);
        assert_eq!(connections.said_goodbye(SITE, "another", 5), None);
        connections.ended(SITE, "esp32", 5, false, at(1));
        assert_eq!(connections.said_goodbye(SITE, "esp32", 6), None, "it broke off");
    }

    #[test]
    fn whoever_speaks_for_many_is_sent_away_with_nothing_and_who_is_alone_a_few_times() {
        let connections = Connections::default();
        connections.spoke_for(SITE, "button", "cabin-1");
        connections.spoke_for(SITE, "button", "cabin-1");
        assert!(connections.is_alone(SITE, "button"));
        let sent_away = [(); 5].map(|()| connections.may_be_sent_away(SITE, "button"));
        assert_eq!(sent_away, [true, true, true, false, false]);
        connections.spoke_for(SITE, "gateway", "cabin-1");
        connections.spoke_for(SITE, "gateway", "cabin-2");
        assert!(!connections.is_alone(SITE, "gateway") && !connections.may_be_sent_away(SITE, "gateway"));
        assert!(!connections.is_alone(SITE, "nobody") && !connections.may_be_sent_away(SITE, "nobody"));
    }

    #[test]
    fn a_million_clients_cost_no_more_than_some_thousand() {
        let connections = Connections::default();
        for number in 0..40_000 {
            let name = number.to_string();
            connections.spoke(SITE, &name, number);
            connections.ended(SITE, &name, number, true, Timestamp::UNIX_EPOCH);
            connections.spoke_for(SITE, &name, &name);
        }
        let inner = connections.lock();
        assert!(inner.newest.recent.len() + inner.newest.older.len() <= REMEMBERED);
        assert!(inner.goodbyes.len() <= REMEMBERED);
        assert!(inner.voices.len() <= REMEMBERED);
    }
}
