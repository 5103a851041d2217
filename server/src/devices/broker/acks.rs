//! Acknowledgements through the broker: published at `QoS` 0, without blocking.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rumqttc::{AsyncClient, PublishOptions};

use super::connection::ROOM;
use crate::devices::acks::Lamp;

/// Publisher of the buttons' acknowledgements. While the broker is away, it keeps the newest one per topic.
#[derive(Clone, Debug, Default)]
pub(super) struct BrokerLamps {
    at: Arc<Mutex<At>>,
}

#[derive(Debug, Default)]
struct At {
    client: Option<AsyncClient>,
    /// The pending acknowledgements by topic; no more than the client's request queue holds.
    waiting: BTreeMap<String, Bytes>,
}

impl BrokerLamps {
    /// Sets the client to publish with, and publishes the pending acknowledgements.
    pub(super) fn connected(&self, client: &AsyncClient) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, payload) in std::mem::take(&mut at.waiting) {
            publish(client, topic, payload);
        }
        at.client = Some(client.clone());
    }

    /// Removes the client; further acknowledgements are kept as pending.
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
    // Retained, so that a reconnecting button gets its request's current state; a command is only for the moment.
    let options = PublishOptions::at_most_once().retain(topic.ends_with("/ack"));
    if client.try_publish(topic, payload, options).is_err() {
        lost();
    }
}

fn lost() {
    metrics::counter!("mqtt_lamps_lost_total").increment(1);
}
