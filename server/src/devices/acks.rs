//! Acknowledgements to the buttons, which drive their lamps. A log reader: it waits while the database is unavailable,
//! and after skipped entries it sends the current state.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::button::device_id;
use crewbell_shared::ids::{ButtonId, RequestId};
use crewbell_shared::protocol::EntityType;
use crewbell_shared::request::{Request, RequestState};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::spellings::Spellings;
use crate::clock::Clock;
use crate::db::{self, Db, DbError};
use crate::log::{LogEntry, ReadError};
use crate::site_registry::OpenSite;

/// The transport for acknowledgements: the listener's own clients, or an external broker.
pub trait Lamp: Send + Sync + 'static {
    /// Sends a message to the subscribers of a topic.
    fn light(&self, topic: &str, payload: &[u8]);
}

impl Lamp for super::listener::Lamps {
    fn light(&self, topic: &str, payload: &[u8]) {
        self.publish(topic, payload);
    }
}

/// Parameters for addressing the lamps.
#[derive(Clone, Debug)]
pub struct AckRoute {
    /// First level of the topics.
    pub prefix: Arc<str>,
    /// The spellings that the devices use for their ids.
    pub spellings: Spellings,
    /// The clock, which decides whether a request is still shown.
    pub clock: Clock,
}

/// Maximum age of a request that is still acknowledged after the button reconnects; after log entries were skipped, the
/// time since a request was closed.
pub(super) const SHOWS: SignedDuration = SignedDuration::from_hours(12);

/// Retry interval while the database is unavailable.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends acknowledgements to a site's buttons as its log grows, until cancelled.
pub async fn light(site: Arc<OpenSite>, db: Db, way: AckRoute, lamp: impl Lamp, stop: CancellationToken) {
    let lit = Lit { site: &site, way: &way, lamp: &lamp };
    // The future is cancelled as a whole: no step is left half done.
    let _ = stop.run_until_cancelled(lit.follow(&db)).await;
}

/// The follower of one site's log.
struct Lit<'a, L> {
    site: &'a Arc<OpenSite>,
    way: &'a AckRoute,
    lamp: &'a L,
}

impl<L: Lamp> Lit<'_, L> {
    async fn follow(&self, db: &Db) {
        let mut devices = Devices::default();
        let mut reader = self.site.reader(self.site.opened_at);
        loop {
            match reader.next().await {
                Ok(page) => {
                    for entry in page {
                        if let Some(request) = request_of(&entry) {
                            self.show(db, &mut devices, &request).await;
                        }
                    }
                }
                Err(ReadError::SnapshotNeeded { head, .. }) => {
                    reader = self.site.reader(head);
                    for request in self.current(db).await {
                        self.show(db, &mut devices, &request).await;
                    }
                }
                Err(ReadError::Db(_)) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Sends the acknowledgement for a request, and retries the button look-up while the database is unavailable.
    async fn show(&self, db: &Db, devices: &mut Devices, request: &Request) {
        let Some(button) = request.button_id else { return };
        let device = loop {
            match devices.named(self.site, db, button).await {
                Ok(device) => break device,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        let Some(device) = device else { return };
        for spelled in self.way.spellings.of(self.site.id, &device) {
            for (topic, payload) in messages(&self.way.prefix, &spelled, request) {
                self.lamp.light(&topic, payload.as_bytes());
            }
        }
    }

    /// The requests to show at present, oldest first: a button has one lamp, and it shows the newest. A request that
    /// was closed in the skipped entries is among them, however long it was open.
    async fn current(&self, db: &Db) -> Vec<Request> {
        loop {
            match self.try_current(db).await {
                Ok(current) => return current,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn try_current(&self, db: &Db) -> Result<Vec<Request>, DbError> {
        let mut tx = db.read(self.site.id).await?;
        let since = self.way.clock.now().saturating_sub(SHOWS).unwrap_or(Timestamp::UNIX_EPOCH);
        db::requests::current(&mut tx, self.site.id, since).await
    }
}

fn request_of(entry: &LogEntry) -> Option<Request> {
    entry.entity.filter(|(entity_type, _)| *entity_type == EntityType::Request)?;
    serde_json::from_str(entry.payload.get()).ok()
}

/// Cache of the buttons' device ids by button id.
#[derive(Default)]
struct Devices {
    known: HashMap<ButtonId, Arc<str>>,
}

impl Devices {
    /// The device id of a button; none if the button doesn't exist.
    async fn named(&mut self, site: &OpenSite, db: &Db, button: ButtonId) -> Result<Option<Arc<str>>, DbError> {
        if !self.known.contains_key(&button) {
            let mut tx = db.read(site.id).await?;
            let all = db::buttons::all(&mut tx, site.id).await?;
            self.known = all.into_iter().map(|known| (known.button.id, known.button.device.into())).collect();
        }
        Ok(self.known.get(&button).cloned())
    }
}

/// The acknowledgement on `…/ack`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The device's id of the latest press of the request.
    #[serde(default)]
    pub press_id: Option<String>,
    /// The request.
    pub request_id: RequestId,
    /// State: `received`, `accepted`, `completed`, `cancelled`.
    pub state: String,
    /// Name of the person who made the change.
    #[serde(default)]
    pub by: Option<String>,
}

/// The messages to a button about its request: on `/ack`, and in the original firmware's command format.
pub(super) fn messages(prefix: &str, device: &str, request: &Request) -> Vec<(String, String)> {
    let (state, by) = match &request.state {
        RequestState::Open => ("received", None),
        RequestState::Accepted(acceptance) => ("accepted", Some(&acceptance.accepted_by.name)),
        RequestState::Completed { completed_by, .. } => ("completed", Some(&completed_by.name)),
        RequestState::Cancelled { cancelled_by, .. } => ("cancelled", Some(&cancelled_by.name)),
    };
    let (press_id, by) = (request.last_press_id.clone(), by.cloned());
    let ack = json!(Ack { press_id, request_id: request.id, state: state.to_owned(), by });
    let command = json!({ "command": "ack", "requestId": request.id, "status": state });
    vec![
        (format!("{prefix}/button/{device}/ack"), ack.to_string()),
        (format!("{prefix}/device/{device}/command"), command.to_string()),
    ]
}

/// The device whose acknowledgement topic this is.
pub(super) fn device_of<'t>(prefix: &str, topic: &'t str) -> Option<&'t str> {
    let rest = topic.strip_prefix(prefix)?.strip_prefix('/')?;
    let device = rest.strip_prefix("button/").and_then(|rest| rest.strip_suffix("/ack"));
    let device = device.or_else(|| rest.strip_prefix("device/")?.strip_suffix("/command"))?;
    (!device.is_empty() && !device.contains(['/', '+', '#'])).then_some(device)
}

/// Whether a filter is one of the device's own topics, in any spelling of its id.
pub(super) fn is_of(prefix: &str, filter: &str, device: &str) -> bool {
    let settings = filter.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("/button/"));
    let settings = settings.and_then(|rest| rest.strip_suffix("/config/set"));
    device_of(prefix, filter).or(settings).is_some_and(|spelled| device_id(spelled) == device)
}

/// Whether a filter covers only acknowledgement and configuration topics, of any device: the permission of a gateway.
pub(super) fn is_lamp(prefix: &str, filter: &str) -> bool {
    let wild = [format!("{prefix}/button/+/ack"), format!("{prefix}/device/+/command")];
    device_of(prefix, filter).is_some()
        || wild.iter().any(|allowed| allowed == filter)
        || (filter.starts_with(&format!("{prefix}/button/"))
            && filter.ends_with("/config/set")
            && !filter.contains('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_may_watch_its_own_lamp_only() {
        assert!(is_of("obedio", "obedio/button/c5/ack", "c5"));
        assert!(is_of("obedio", "obedio/device/c5/command", "c5"));
        assert!(is_of("obedio", "obedio/button/AA:BB:CC:DD:EE:07/ack", "aabbccddee07"));
        assert!(is_of("obedio", "obedio/button/AABBCCDDEE07/config/set", "aabbccddee07"));
        for filter in ["obedio/button/c6/ack", "obedio/button/+/ack", "#", "obedio/button/c5/#", "other/button/c5/ack"]
        {
            assert!(!is_of("obedio", filter, "c5"), "{filter}");
        }
    }

    #[test]
    fn a_gateway_may_watch_all_lamps_and_nothing_else() {
        for filter in ["obedio/button/c6/ack", "obedio/button/+/ack", "obedio/device/+/command"] {
            assert!(is_lamp("obedio", filter), "{filter}");
        }
        for filter in ["#", "obedio/#", "obedio/button/+/pressed", "+/button/c5/ack"] {
            assert!(!is_lamp("obedio", filter), "{filter}");
        }
    }
}
