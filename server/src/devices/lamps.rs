//! The answer to a press: what turns the button's lamp on. A reader of the log like any other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::ids::{ButtonId, RequestId};
use crewbell_shared::protocol::EntityType;
use crewbell_shared::request::{Request, State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::db::{self, Db};
use crate::house::OpenSite;
use crate::log::{LogEntry, ReadError};

/// Where lamps are lit: the listener's own clients, or an external broker.
pub trait Lamp: Send + Sync + 'static {
    /// Sends a message to whoever listens to a topic.
    fn light(&self, topic: &str, payload: &[u8]);
}

impl Lamp for super::listener::Lamps {
    fn light(&self, topic: &str, payload: &[u8]) {
        self.publish(topic, payload);
    }
}

/// Lights the lamps of a site's buttons, as its log goes on, until cancelled.
pub async fn light(site: Arc<OpenSite>, db: Db, prefix: Arc<str>, lamp: impl Lamp, stop: CancellationToken) {
    let mut devices = Devices::default();
    let mut reader = site.reader(site.opened_at);
    loop {
        let page = tokio::select! {
            page = reader.next() => page,
            () = stop.cancelled() => return,
        };
        match page {
            Ok(page) => {
                for entry in page {
                    if let Some((request, device)) = devices.pressed(&site, &db, &entry).await {
                        for (topic, payload) in messages(&prefix, &device, &request) {
                            lamp.light(&topic, payload.as_bytes());
                        }
                    }
                }
            }
            Err(ReadError::SnapshotNeeded { head, .. }) => reader = site.reader(head),
            Err(ReadError::Db(_)) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// The buttons' ids on the wire, by their id.
#[derive(Default)]
struct Devices {
    known: HashMap<ButtonId, Arc<str>>,
}

impl Devices {
    /// The request that an entry is about, and the device of the button that asked for it.
    async fn pressed(&mut self, site: &OpenSite, db: &Db, entry: &LogEntry) -> Option<(Request, Arc<str>)> {
        entry.entity.filter(|(noun, _)| *noun == EntityType::Request)?;
        let request: Request = serde_json::from_str(entry.payload.get()).ok()?;
        let button = request.button_id?;
        if !self.known.contains_key(&button) {
            let mut tx = db.read(site.id).await.ok()?;
            let all = db::buttons::all(&mut tx, site.id).await.ok()?;
            self.known = all.into_iter().map(|known| (known.button.id, known.button.device.into())).collect();
        }
        Some((request, Arc::clone(self.known.get(&button)?)))
    }
}

/// What a lamp is told on `…/ack`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The device's id of the press that the request last heard.
    #[serde(default)]
    pub press_id: Option<String>,
    /// The request.
    pub request_id: RequestId,
    /// `received`, `accepted`, `completed`, `cancelled`.
    pub state: String,
    /// Who did it.
    #[serde(default)]
    pub by: Option<String>,
}

/// What is told to a button about its request: on its `/ack`, and in the words of the original firmware.
pub(super) fn messages(prefix: &str, device: &str, request: &Request) -> Vec<(String, String)> {
    let (state, by) = match &request.state {
        State::Open => ("received", None),
        State::Accepted(acceptance) => ("accepted", Some(&acceptance.accepted_by.name)),
        State::Completed { completed_by, .. } => ("completed", Some(&completed_by.name)),
        State::Cancelled { cancelled_by, .. } => ("cancelled", Some(&cancelled_by.name)),
    };
    let (press_id, by) = (request.last_press_id.clone(), by.cloned());
    let ack = json!(Ack { press_id, request_id: request.id, state: state.to_owned(), by });
    let command = json!({ "command": "ack", "requestId": request.id, "status": state });
    vec![
        (format!("{prefix}/button/{device}/ack"), ack.to_string()),
        (format!("{prefix}/device/{device}/command"), command.to_string()),
    ]
}

/// The device whose lamp a topic is.
pub(super) fn device_of<'t>(prefix: &str, topic: &'t str) -> Option<&'t str> {
    let rest = topic.strip_prefix(prefix)?.strip_prefix('/')?;
    let device = rest.strip_prefix("button/").and_then(|rest| rest.strip_suffix("/ack"));
    let device = device.or_else(|| rest.strip_prefix("device/")?.strip_suffix("/command"))?;
    (!device.is_empty() && !device.contains(['/', '+', '#'])).then_some(device)
}

/// Whether a subscription is to a device's own topics.
pub(super) fn is_of(prefix: &str, filter: &str, device: &str) -> bool {
    device_of(prefix, filter) == Some(device) || filter == format!("{prefix}/button/{device}/config/set")
}

/// Whether a subscription is to lamps of whichever device: what a gateway may ask for.
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
