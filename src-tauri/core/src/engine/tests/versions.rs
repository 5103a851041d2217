//! Tests with two app versions at one server: content of a newer server is skipped with a notice, and an updated app
//! fetches what was skipped.

use crewbell_shared::protocol::{ActorRef, EntityTypeName, Entry, Meta, Source};
use serde_json::json;

use super::super::log::{KNOWN_ENTITIES, known_entities};
use super::*;

/// Returns entry 8 of the log, about an entity.
fn entry(entity_type: &str, payload: serde_json::Value) -> Entry {
    Entry {
        category: "laundry".into(),
        kind: "basket_filled".into(),
        payload,
        meta: Meta {
            site: "serenity".into(),
            seq: 8,
            event_id: Uuid::from_u128(8).into(),
            ts: at(8),
            actor: ActorRef { id: Some(sam().id), name: sam().name },
            source: Source::App,
            entity_type: Some(EntityTypeName::from(entity_type.to_owned())),
            command_id: None,
        },
    }
}

impl Device {
    fn reads(&mut self, entry: Entry) {
        self.frame(FromServer::Entries { prev: 7, entries: vec![entry] });
    }

    fn is_told_to_update(&self) -> bool {
        self.engine.picture(now(self.tick)).status.notices.contains(&Notice::UpdateNeeded)
    }
}

#[test]
fn an_entry_about_an_entity_of_a_newer_server_is_passed_over_and_told() {
    let mut device = Device::live();
    let entities = device.engine.image().entities.clone();
    assert!(!device.is_told_to_update());
    device.reads(entry("laundry_basket", json!({ "id": Uuid::from_u128(5), "towels": 12 })));
    assert!(device.is_told_to_update());
    let image = device.engine.image();
    assert_eq!((&image.entities, image.cursor.unwrap().seq), (&entities, 8), "and the log is read on");
    assert_eq!(image.lines.back().unwrap().kind, "basket_filled", "that something happened can be told");
}

#[test]
fn an_entry_about_a_known_entity_that_has_changed_beyond_reading_is_told_too() {
    let mut device = Device::live();
    device.reads(entry("request", json!({ "id": Uuid::from_u128(5), "state": "folded" })));
    assert!(device.is_told_to_update());
    assert_eq!(device.engine.image().cursor.unwrap().seq, 8);
}

#[test]
fn an_entry_that_this_version_knows_is_no_reason_to_update() {
    let mut device = Device::live();
    let payload = Entity::from(sam()).to_payload().unwrap();
    device.reads(entry("person", payload));
    assert!(!device.is_told_to_update());
}

#[test]
fn a_site_with_entities_of_a_newer_server_is_shown_as_far_as_it_is_known_and_told() {
    let mut device = Device::live();
    let snapshot = || Snapshot { cursor: Cursor { seq: 9, event_id: None }, entities: Vec::new(), foreign: true };
    let restored = Refusal::new(Code::SnapshotNeeded, "The log goes back less far.");
    device.frame(FromServer::Refused { refusal: restored });
    assert!(!device.is_told_to_update());
    device.take(Input::Snapshot(Ok(snapshot())));
    assert!(device.is_told_to_update());
    assert_eq!(device.engine.image().cursor.unwrap().seq, 9);
}

/// Starts a device with these entity types known, and returns its first outputs.
fn starts_knowing(entities: Option<&str>) -> (Device, Vec<Output>) {
    let mut image = Device::live().engine.image().clone();
    match entities {
        Some(entities) => drop(image.settings.insert(KNOWN_ENTITIES.to_owned(), entities.to_owned())),
        None => drop(image.settings.remove(KNOWN_ENTITIES)),
    }
    let mut device = Device { engine: Engine::new(image), tick: 0 };
    let outputs = device.take(Input::Start);
    (device, outputs)
}

#[test]
fn an_app_that_knows_more_entities_than_its_last_snapshot_takes_another() {
    for before in [None, Some("person place"), Some("")] {
        let (mut device, outputs) = starts_knowing(before);
        assert!(outputs.contains(&Output::FetchSnapshot), "{before:?}: {outputs:?}");
        assert!(!device.engine.image().entities.is_empty(), "what it has is shown meanwhile");
        let cursor = Cursor { seq: 9, event_id: None };
        device.take(Input::Snapshot(Ok(Snapshot { cursor, entities: Vec::new(), foreign: false })));
        assert_eq!(device.engine.image().settings.get(KNOWN_ENTITIES), Some(&known_entities()));
        let mut again = Device { engine: Engine::new(device.engine.image().clone()), tick: 0 };
        assert!(!again.take(Input::Start).contains(&Output::FetchSnapshot), "once is enough");
    }
}

#[test]
fn an_app_that_knows_what_it_knew_goes_on_from_its_cursor() {
    let (_, outputs) = starts_knowing(Some(&known_entities()));
    let goes_on = |output: &Output| matches!(output, Output::Connect { cursor, .. } if cursor.seq == 7);
    assert!(outputs.iter().any(goes_on), "{outputs:?}");
}
