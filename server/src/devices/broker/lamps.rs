//! Lamps at the broker: published at `QoS` 0, never waiting for anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rumqttc::{AsyncClient, PublishOptions};

use super::connection::ROOM;
use crate::devices::lamps::Lamp;

/// The lamps of the buttons at the broker. While the broker is away the newest state of each waits.
#[derive(Clone, Debug, Default)]
pub(super) struct BrokerLamps {
    at: Arc<Mutex<At>>,
}

#[derive(Debug, Default)]
struct At {
    client: Option<AsyncClient>,
    /// By topic; no more than the client has room for.
    waiting: BTreeMap<String, Bytes>,
}

impl BrokerLamps {
    /// From now on lamps go to this client, first those that waited.
    pub(super) fn connected(&self, client: &AsyncClient) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, payload) in std::mem::take(&mut at.waiting) {
            publish(client, topic, payload);
        }
        at.client = Some(client.clone());
    }

    /// From now on lamps wait.
    pub(super) fn gone(&self) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).client = None;
    }
}

impl Lamp for BrokerLamps {
    fn light(&self, topic: &str, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match &at.client {
            Some(client) => publish(client, topic.to_owned(), payload),
            None if at.waiting.len() < ROOM || at.waiting.contains_key(topic) => {
                at.waiting.insert(topic.to_owned(), payload);
            }
            None => lost(),
        }
    }
}

fn publish(client: &AsyncClient, topic: String, payload: Bytes) {
    // Retained, so that a button that comes back to the broker is shown where its request stands; a command is for now.
    let options = PublishOptions::at_most_once().retain(topic.ends_with("/ack"));
    if client.try_publish(topic, payload, options).is_err() {
        lost();
    }
}

fn lost() {
    metrics::counter!("mqtt_lamps_lost_total").increment(1);
}
