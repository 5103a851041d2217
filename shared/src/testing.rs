//! The cast of the tests: Siri and Sam are stewardesses, Dana dispatches, Tom is the technician.

#![expect(missing_docs, reason = "props of the tests")]

use jiff::Timestamp;
use uuid::Uuid;

use crate::ids::{PersonId, PlaceId, RequestId};
use crate::person::{Person, Role};
use crate::request::{Kind, Priority, Request, State};

/// So many seconds after noon on a day in November.
pub fn at(seconds: i64) -> Timestamp {
    let noon = 1_795_262_400;
    Timestamp::from_second(noon + seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub fn person(number: u128, name: &str, role: Role) -> Person {
    Person { id: PersonId(Uuid::from_u128(number)), name: name.into(), role, on_duty: true, active: true }
}

pub fn siri() -> Person {
    person(1, "Siri", Role::Crew)
}

pub fn sam() -> Person {
    person(2, "Sam", Role::Crew)
}

pub fn dana() -> Person {
    person(3, "Dana", Role::Dispatcher)
}

/// A call from cabin 5, pressed once.
pub fn open_request(at: Timestamp) -> Request {
    Request {
        id: RequestId(Uuid::from_u128(50)),
        place_id: PlaceId(Uuid::from_u128(5)),
        place_name: "Cabin 5".into(),
        guest_id: None,
        button_id: None,
        created_by: None,
        created_at: at,
        kind: Kind::Call,
        service: None,
        priority: Priority::Normal,
        text: None,
        press_count: 1,
        last_press_id: Some("1".into()),
        last_press_at: Some(at),
        voice: None,
        notes: Vec::new(),
        state: State::Open,
    }
}
