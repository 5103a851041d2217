//! Ends calls that nobody ends: those that have rung their time, and those of which a device is gone.
//!
//! Also after a restart: what rings is known by its time, and a device has as long to come back as if it had gone at the
//! server's start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::call::{Call, State};
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::actions::{Action, DropCall, ExpireCall};
use crate::house::{House, OpenSite};

/// How often it is looked for.
const EVERY: Duration = Duration::from_millis(250);

/// How long one end of an ongoing call may be away: a server's restart, a lift, the way from one Wi-Fi to another. The
/// voices don't go by the server and may go on meanwhile.
const AWAY_FOR: SignedDuration = SignedDuration::from_secs(45);

/// How long a caller may be away while it rings: nobody shall answer somebody who isn't there.
const CALLER_AWAY_FOR: SignedDuration = SignedDuration::from_secs(15);

/// Since when people are away from their calls.
type Away = BTreeMap<(CallId, PersonId), Timestamp>;

/// Ends a site's calls that nobody ends, until cancelled.
pub async fn run(house: House, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut away = Away::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        site.presence.sweep();
        let now = house.clock.now();
        let live = site.switchboard.live();
        away.retain(|(id, _), _| live.iter().any(|call| call.id == *id));
        for call in &live {
            let action: Option<Box<dyn Action>> = if call.has_rung_out(now) {
                Some(Box::new(ExpireCall { call_id: call.id }))
            } else if is_abandoned(&site, call, &mut away, now) {
                Some(Box::new(DropCall { call_id: call.id }))
            } else {
                None
            };
            let Some(action) = action else { continue };
            // A database that is away is tried again at the next look.
            if let Err(error) = site.act(action, Actor::System, Source::Server).await {
                tracing::warn!(site = %site.slug, call = %call.id, %error, "A call could not be ended; trying again.");
            }
        }
    }
}

/// Whether one of those who should be there has been away for too long.
fn is_abandoned(site: &OpenSite, call: &Call, away: &mut Away, now: Timestamp) -> bool {
    let caller = (call.caller.id, call.caller_endpoint);
    let (ends, limit) = match &call.state {
        State::Ringing => (vec![caller], if caller.1.is_some() { CALLER_AWAY_FOR } else { AWAY_FOR }),
        State::Ongoing { callee_endpoint, .. } => (vec![caller, (call.callee.id, *callee_endpoint)], AWAY_FOR),
        State::Ended { .. } => return false,
    };
    let mut is_abandoned = false;
    for (person, endpoint) in ends {
        if is_there(site, person, endpoint) {
            away.remove(&(call.id, person));
        } else {
            let since = *away.entry((call.id, person)).or_insert(now);
            is_abandoned |= now.duration_since(since) >= limit;
        }
    }
    is_abandoned
}

/// Whether an end of a call is there: its own socket, or, for a client that asks instead of listening, the person.
fn is_there(site: &OpenSite, person: PersonId, endpoint: Option<EndpointId>) -> bool {
    match endpoint {
        Some(endpoint) if site.switchboard.is_plugged_in((person, endpoint)) => true,
        Some(endpoint) => site.switchboard.has_mailbox((person, endpoint)) && site.presence.is_online(person),
        None => site.presence.is_online(person),
    }
}
