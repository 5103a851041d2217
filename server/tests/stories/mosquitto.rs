//! Extensions of the Mosquitto fixture for the stories.

use crewbell_server::devices::broker::BrokerConfig;

use crate::foreign::{Mosquitto, until};

pub use crate::props::broker::Broker;

impl Broker {
    /// Returns the server's settings for this broker.
    pub fn settings(&self) -> BrokerConfig {
        BrokerConfig {
            url: format!("mqtt://{}", self.address),
            username: None,
            password: None,
            client_id: None,
            site: "serenity".into(),
            ca_file: None,
        }
    }

    /// Creates a Mosquitto client without credentials.
    pub fn client(&self, version: &'static str) -> Mosquitto {
        Mosquitto::nobody(self.address, version)
    }

    /// Returns how often a server has connected.
    pub fn connected(&self) -> usize {
        self.said(" as crewbell-serenity ")
    }

    /// Waits until the server has subscribed to presses a number of times.
    pub async fn subscribed(&self, times: usize) {
        let asked = async || self.said("crewbell-serenity 1 obedio/button/+/pressed") >= times;
        until("the server is subscribed", asked).await;
    }
}
