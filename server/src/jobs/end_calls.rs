//! Job that ends calls that no client ends: calls whose ring time is over, and calls whose device is gone.
//!
//! It works across restarts: a ringing call carries its deadline, and a missing device has the full grace period from
//! the server's start. Durations are measured by the monotonic clock, so that a clock jump ends no call and lets none
//! ring for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use crewbell_shared::site::SiteSettings;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::actions::{Action, DropCall, ExpireCall};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Polling interval.
const EVERY: Duration = Duration::from_millis(250);

/// Grace period for a missing endpoint of an ongoing call: a server's restart, a lift, a Wi-Fi handover. The audio
/// doesn't pass through the server and may continue meanwhile.
const AWAY_FOR: Duration = Duration::from_secs(45);

/// Grace period for a missing caller while a call rings: nobody shall answer a caller who is gone.
const CALLER_AWAY_FOR: Duration = Duration::from_secs(15);

/// Since when people are missing from their calls, by [`Clock::elapsed`](crate::clock::Clock::elapsed).
type Away = BTreeMap<(CallId, PersonId), Duration>;

/// Until when calls ring, by the same clock.
type Ringing = BTreeMap<CallId, Duration>;

/// Ends a site's abandoned and unanswered calls, until cancelled.
pub async fn run(registry: SiteRegistry, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut away, mut ringing) = (Away::new(), Ringing::new());
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        site.presence.sweep();
        let (now, elapsed) = (registry.clock.now(), registry.clock.elapsed());
        let live = site.switchboard.live();
        away.retain(|(id, _), _| live.iter().any(|call| call.id == *id));
        ringing.retain(|id, _| live.iter().any(|call| call.id == *id));
        for call in &live {
            let (action, at): (Box<dyn Action>, _) = if has_rung_out(call, &mut ringing, now, elapsed) {
                // The ring time is over, whatever the wall clock was set to meanwhile.
                (Box::new(ExpireCall { call_id: call.id }), now.max(call.rings_until))
            } else if is_abandoned(&site, call, &mut away, elapsed) {
                (Box::new(DropCall { call_id: call.id }), now)
            } else {
                continue;
            };
            // While the database is unavailable, the next tick retries.
            if let Err(error) = site.act_at(action, Actor::System, Source::Server, at).await {
                tracing::warn!(site = %site.slug, call = %call.id, %error, "A call could not be ended; trying again.");
            }
        }
    }
}

/// Whether a call has rung for the ring time that was left when it was first seen.
fn has_rung_out(call: &Call, ringing: &mut Ringing, now: Timestamp, elapsed: Duration) -> bool {
    if call.state != CallState::Ringing {
        return false;
    }
    let longest = Duration::from_secs((*SiteSettings::RING_TIME_S.end()).into());
    let left = Duration::try_from(call.rings_until.duration_since(now)).unwrap_or(Duration::ZERO);
    elapsed >= *ringing.entry(call.id).or_insert(elapsed + left.min(longest))
}

/// Whether a required endpoint has been missing for longer than its grace period.
fn is_abandoned(site: &OpenSite, call: &Call, away: &mut Away, elapsed: Duration) -> bool {
    let caller = (call.caller.id, call.caller_endpoint);
    let (ends, limit) = match &call.state {
        CallState::Ringing => (vec![caller], if caller.1.is_some() { CALLER_AWAY_FOR } else { AWAY_FOR }),
        CallState::Ongoing { callee_endpoint, .. } => (vec![caller, (call.callee.id, *callee_endpoint)], AWAY_FOR),
        CallState::Ended { .. } => return false,
    };
    let mut is_abandoned = false;
    for (person, endpoint) in ends {
        if is_there(site, person, endpoint) {
            away.remove(&(call.id, person));
        } else {
            let since = *away.entry((call.id, person)).or_insert(elapsed);
            is_abandoned |= elapsed.saturating_sub(since) >= limit;
        }
    }
    is_abandoned
}

/// Whether an endpoint of a call is present: by its own socket, or, for a client that polls, by the person's presence.
fn is_there(site: &OpenSite, person: PersonId, endpoint: Option<EndpointId>) -> bool {
    match endpoint {
        Some(endpoint) if site.switchboard.is_plugged_in((person, endpoint)) => true,
        Some(endpoint) => site.switchboard.has_mailbox((person, endpoint)) && site.presence.is_online(person),
        None => site.presence.is_online(person),
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{at, ringing_call};

    use super::*;

    const HOUR: i64 = 3600;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_call_rings_for_its_minute_whatever_the_clock_is_set_to_meanwhile() {
        for jump in [0, 1, 50, HOUR, -HOUR, 10_000 * HOUR, -10_000 * HOUR] {
            let (call, mut ringing) = (ringing_call(at(0)), Ringing::new());
            assert!(!has_rung_out(&call, &mut ringing, at(0), secs(1000)), "{jump}");
            assert!(!has_rung_out(&call, &mut ringing, at(jump + 10), secs(1010)), "{jump}");
            assert!(!has_rung_out(&call, &mut ringing, at(jump + 59), secs(1059)), "{jump}");
            assert!(has_rung_out(&call, &mut ringing, at(jump + 60), secs(1060)), "{jump}");
        }
    }

    #[test]
    fn what_was_seen_first_by_a_clock_that_was_set_back_rings_no_longer_than_any_call_may() {
        let (call, mut ringing) = (ringing_call(at(0)), Ringing::new());
        assert!(!has_rung_out(&call, &mut ringing, at(-9 * HOUR), secs(0)));
        assert!(!has_rung_out(&call, &mut ringing, at(-9 * HOUR), secs(299)));
        assert!(has_rung_out(&call, &mut ringing, at(-9 * HOUR), secs(300)));
        // After a restart that took longer than the ring time that was left.
        assert!(has_rung_out(&call, &mut Ringing::new(), at(61), secs(0)));
    }
}
