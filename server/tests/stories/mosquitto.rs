//! The ship's own Mosquitto, as the server and the stories see it.

use crewbell_server::devices::broker::BrokerSettings;

use crate::foreign::{Mosquitto, until};

pub use crate::props::broker::Broker;

impl Broker {
    /// How the server reaches it.
    pub fn settings(&self) -> BrokerSettings {
        BrokerSettings {
            url: format!("mqtt://{}", self.address),
            username: None,
            password: None,
            client_id: None,
            site: "serenity".into(),
            ca_file: None,
        }
    }

    /// Somebody with Mosquitto's programs.
    pub fn client(&self, version: &'static str) -> Mosquitto {
        Mosquitto::nobody(self.address, version)
    }

    /// How often a server has connected.
    pub fn connected(&self) -> usize {
        self.said(" as crewbell-serenity ")
    }

    /// Waits until the server has asked for presses so many times.
    pub async fn subscribed(&self, times: usize) {
        let asked = async || self.said("crewbell-serenity 1 obedio/button/+/pressed") >= times;
        until("the server is subscribed", asked).await;
    }
}
