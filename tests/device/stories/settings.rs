//! Device settings persist.

use std::collections::BTreeMap;

use crewbell_core::screen::{Ask, AskError, settings};
use crewbell_shared::Code;
use crewbell_shared::ids::RequestId;

use crate::device::Device;
use crate::ship::Ship;

#[tokio::test]
async fn what_was_set_is_set_again_after_a_restart_before_anything_rings() {
    let ship = Ship::sail().await;
    let siri = Device::of(ship.server.http, "Siri").await;
    let left = [
        (settings::SOUNDS, "off"),
        (settings::VOLUME, "40"),
        (settings::LANGUAGE, "hr"),
        (settings::MICROPHONE, "the headset"),
        (settings::CALL_VOLUME, "60"),
        (settings::PUSH_TO_TALK, "on"),
    ];
    for (name, value) in left {
        siri.ask(Ask::Set { name: name.into(), value: Some(value.into()) }).await.unwrap();
    }
    let speaker = |value| Ask::Set { name: settings::SPEAKER.into(), value };
    siri.ask(speaker(Some("the loud one".into()))).await.unwrap();
    siri.ask(speaker(None)).await.unwrap();
    for (name, value) in [("device_id", "0"), ("token_in", "keyring"), (settings::VOLUME, "0")] {
        let refused = siri.ask(Ask::Set { name: name.into(), value: Some(value.into()) }).await;
        assert!(
            matches!(&refused, Err(AskError::Refused { refusal }) if refusal.code == Code::NotAllowed),
            "{name}: {refused:?}"
        );
    }
    let called: RequestId = ship.dana().await.asks_for(1, "ice").await.parse().unwrap();
    siri.rings(Some(called)).await;

    let siri = siri.restart().await;
    siri.rings(Some(called)).await;
    let told = siri.shell.set_before_rings.lock().unwrap().clone().unwrap();
    let told: BTreeMap<&str, &str> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, value) in left {
        assert_eq!(told.get(name), Some(&value), "{name}");
    }
    assert_eq!(told.get(settings::SPEAKER), None, "what was taken back isn't set again");
}
