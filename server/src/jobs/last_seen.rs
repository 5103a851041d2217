//! Job that stores people's last-seen times, so that they survive a restart of the server.
//!
//! Presence is live only, and last-seen times are not part of the log. They are written when a person disconnects, and
//! for everybody connected once a minute and at shutdown, so that a crash loses at most a minute. A heartbeat writes
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use crewbell_shared::protocol::live::LastSeen;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::actions::SeePeople;
use crate::live::Sighting;
use crate::site_registry::{OpenSite, SiteRegistry};

/// Interval of the check for people who disconnected. People who disconnect together, as with a failing access point,
/// are written together.
const EVERY: Duration = Duration::from_secs(1);

/// Minimum interval between two writes of the connected people.
const THERE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Stores the last-seen times of a site's people until cancelled, and once more on cancellation.
pub async fn run(registry: SiteRegistry, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut kept = Kept::default();
    loop {
        let is_last = tokio::select! {
            _ = tick.tick() => false,
            () = stop.cancelled() => true,
        };
        let now = registry.clock.now();
        let with_all = is_last || kept.is_due(now);
        let due = kept.due(&site.presence.sightings(), with_all);
        if !due.is_empty() {
            match site.act(Box::new(SeePeople(due.clone())), Actor::System, Source::Server).await {
                Ok(_) => kept.note(due, with_all.then_some(now)),
                // The writer logs an unavailable database; the next tick retries.
                Err(error) => tracing::debug!(site = %site.slug, %error, "Who was last seen could not be kept."),
            }
        }
        if is_last {
            return;
        }
    }
}

/// The last-seen times written so far.
#[derive(Debug, Default)]
struct Kept {
    people: BTreeMap<PersonId, Timestamp>,
    /// When the connected people were last written.
    all_at: Option<Timestamp>,
}

impl Kept {
    /// Whether the connected people are due to be written.
    fn is_due(&self, now: Timestamp) -> bool {
        self.all_at.is_none_or(|at| now.duration_since(at) >= THERE_EVERY)
    }

    /// Returns the last-seen times to be written: of people who disconnected, and `with_all` also of those connected.
    fn due(&self, sightings: &[Sighting], with_all: bool) -> Vec<LastSeen> {
        let is_news = |seen: &LastSeen| self.people.get(&seen.person_id).is_none_or(|kept| *kept < seen.at);
        let due = sightings.iter().filter(|one| with_all || !one.there).map(|one| one.seen);
        due.filter(is_news).collect()
    }

    fn note(&mut self, written: Vec<LastSeen>, all_at: Option<Timestamp>) {
        self.people.extend(written.into_iter().map(|seen| (seen.person_id, seen.at)));
        self.all_at = all_at.or(self.all_at);
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{at, sam, siri};

    use super::*;

    fn sighting(person_id: PersonId, seconds: i64, there: bool) -> Sighting {
        Sighting { seen: LastSeen { person_id, at: at(seconds) }, there }
    }

    #[test]
    fn who_is_there_is_written_once_a_minute_and_who_went_at_once_and_once() {
        let mut kept = Kept::default();
        let here = |seconds| [sighting(sam().id, seconds, true), sighting(siri().id, seconds, true)];
        assert!(kept.is_due(at(0)));
        let all = kept.due(&here(0), true);
        assert_eq!(all.len(), 2);
        kept.note(all, Some(at(0)));
        assert!(!kept.is_due(at(59)) && kept.due(&here(59), false).is_empty(), "a heartbeat writes nothing");
        let siri_went = [sighting(sam().id, 59, true), sighting(siri().id, 58, false)];
        let due = kept.due(&siri_went, false);
        assert_eq!(due, [LastSeen { person_id: siri().id, at: at(58) }]);
        // A failed write is due again.
        assert_eq!(kept.due(&siri_went, false), due);
        kept.note(due, None);
        assert!(kept.due(&siri_went, false).is_empty());
        assert!(kept.is_due(at(60)));
        assert_eq!(kept.due(&siri_went, true), [LastSeen { person_id: sam().id, at: at(59) }]);
    }
}
