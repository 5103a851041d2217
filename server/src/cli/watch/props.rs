//! Test fixtures: a call from Cabin 5, and entries about it.

use crewbell_shared::ids::{EventId, PlaceId, RequestId};
use crewbell_shared::protocol::{ActorRef, Entity, Entry, Meta, Source};
use crewbell_shared::request::{Kind, Priority, Request, RequestState};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// Returns the time this many seconds after noon UTC on a day in November.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_262_400 + seconds).unwrap()
}

pub(super) fn open_request() -> Request {
    Request {
        id: RequestId(Uuid::from_u128(50)),
        place_id: PlaceId(Uuid::from_u128(5)),
        place_name: "Cabin 5".into(),
        guest_id: None,
        button_id: None,
        created_by: None,
        created_at: at(0),
        kind: Kind::Call,
        service: None,
        priority: Priority::Normal,
        text: None,
        press_count: 1,
        last_press_id: Some("1".into()),
        last_press_at: Some(at(0)),
        voice: None,
        held: None,
        notes: Vec::new(),
        state: RequestState::Open,
    }
}

pub(super) fn entry(seq: u64, kind: &str, entity: impl Into<Entity>) -> Entry {
    let entity = entity.into();
    let entity_type = entity.entity_type();
    let mut entry = said(seq, kind, entity.to_payload().unwrap());
    entry.category = entity_type.category().into();
    entry.meta.entity_type = Some(entity_type.into());
    entry
}

pub(super) fn said(seq: u64, kind: &str, payload: Value) -> Entry {
    Entry {
        category: "people".into(),
        kind: kind.into(),
        payload,
        meta: Meta {
            site: "serenity".into(),
            seq,
            event_id: EventId(Uuid::nil()),
            ts: at(131),
            actor: ActorRef { id: None, name: "Dana".into() },
            source: Source::App,
            entity_type: None,
            command_id: None,
        },
    }
}
