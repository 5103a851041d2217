//! Keeps when people were last there, so that a restart of the server doesn't forget it.
//!
//! Presence is live only, and what is kept is no fact of the log. It is written when somebody goes, and for everybody who
//! is there once a minute and at the server's end: a crash costs a minute of it. A heartbeat writes nothing.

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
use crate::house::{House, OpenSite};
use crate::live::Sighting;

/// How often it is looked for who went: those whom a failing access point takes along are written together.
const EVERY: Duration = Duration::from_secs(1);

/// How often those who are there are written, at most.
const THERE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Keeps when a site's people were last there, until cancelled, and once more then.
pub async fn run(house: House, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut kept = Kept::default();
    loop {
        let is_last = tokio::select! {
            _ = tick.tick() => false,
            () = stop.cancelled() => true,
        };
        let now = house.clock.now();
        let with_all = is_last || kept.is_due(now);
        let due = kept.due(&site.presence.sightings(), with_all);
        if !due.is_empty() {
            match site.act(Box::new(SeePeople(due.clone())), Actor::System, Source::Server).await {
                Ok(_) => kept.note(due, with_all.then_some(now)),
                // A database that is away is reported by the writer; the next look tries again.
                Err(error) => tracing::debug!(site = %site.slug, %error, "Who was last seen could not be kept."),
            }
        }
        if is_last {
            return;
        }
    }
}

/// What was written.
#[derive(Debug, Default)]
struct Kept {
    people: BTreeMap<PersonId, Timestamp>,
    /// When those who are there were written last.
    all_at: Option<Timestamp>,
}

impl Kept {
    /// Whether those who are there are to be written, too.
    fn is_due(&self, now: Timestamp) -> bool {
        self.all_at.is_none_or(|at| now.duration_since(at) >= THERE_EVERY)
    }

    /// What is to be written: of those who went, and of everybody.
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
        // What could not be written is due again.
        assert_eq!(kept.due(&siri_went, false), due);
        kept.note(due, None);
        assert!(kept.due(&siri_went, false).is_empty());
        assert!(kept.is_due(at(60)));
        assert_eq!(kept.due(&siri_went, true), [LastSeen { person_id: sam().id, at: at(59) }]);
    }
}
