//! Job that follows a site's calls and people's busy state, so that presence and the switchboard are current. It starts
//! from the stored last-seen times.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use crewbell_shared::call::{Call, CallState};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::EntityType;
use tokio_util::sync::CancellationToken;

use super::following::keep_following;
use crate::db::{calls, people, sites};
use crate::log::{LogEntry, ReadError};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Follows a site's calls until cancelled.
pub async fn run(registry: SiteRegistry, site: Arc<OpenSite>, stop: CancellationToken) {
    keep_following(&site, stop, || follow(&registry, &site)).await;
}

async fn follow(registry: &SiteRegistry, site: &OpenSite) -> Result<Infallible, ReadError> {
    let mut tx = registry.db.read(site.id).await?;
    let (_, head) = sites::extent(&mut tx, site.id).await?;
    for person in people::all(&mut tx, site.id).await? {
        site.presence.set_busy(person.id, person.busy);
    }
    site.presence.remember(people::last_seen(&mut tx, site.id).await?);
    site.switchboard.begin(calls::live(&mut tx, site.id).await?, head);
    drop(tx);
    tell_presence(site);
    let mut reader = site.reader(head);
    loop {
        let entries = reader.next().await?;
        for entry in &entries {
            note(site, entry);
        }
        if let Some(last) = entries.last() {
            site.switchboard.reached(last.seq);
        }
    }
}

fn note(site: &OpenSite, entry: &LogEntry) {
    let noted = match entry.entity {
        Some((EntityType::Call, _)) => serde_json::from_str::<Call>(entry.payload.get()).map(|call| {
            site.switchboard.follow(call);
            tell_presence(site);
        }),
        Some((EntityType::Person, _)) => serde_json::from_str::<Person>(entry.payload.get())
            .map(|person| site.presence.set_busy(person.id, person.busy)),
        Some(_) | None => Ok(()),
    };
    if let Err(error) = noted {
        tracing::error!(seq = entry.seq, %error, "An entry about a call or a person can't be read.");
    }
}

/// Updates presence with the people in a call: the caller, and a callee who has answered. A callee whose device rings
/// is not in a call yet.
fn tell_presence(site: &OpenSite) {
    let mut in_call = BTreeSet::new();
    for call in site.switchboard.live() {
        in_call.insert(call.caller.id);
        if matches!(call.state, CallState::Ongoing { .. }) {
            in_call.insert(call.callee.id);
        }
    }
    site.presence.set_in_call(in_call);
}
