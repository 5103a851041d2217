//! The deserialization form of a request: all fields in one struct.
//!
//! Serde's derived code for flattened parts buffers the whole value first. An app reads thousands of requests at its
//! start, and a web view must also load that code.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Acceptance, Held, Kind, Note, Priority, Request, RequestState, Voice};
use crate::ids::{ButtonId, GuestId, PlaceId, RequestId};
use crate::person::PersonRef;

#[derive(Deserialize)]
pub(super) struct Flat {
    id: RequestId,
    place_id: PlaceId,
    place_name: String,
    guest_id: Option<GuestId>,
    button_id: Option<ButtonId>,
    created_by: Option<PersonRef>,
    created_at: Timestamp,
    kind: Kind,
    service: Option<String>,
    priority: Priority,
    text: Option<String>,
    press_count: u32,
    last_press_id: Option<String>,
    last_press_at: Option<Timestamp>,
    voice: Option<Voice>,
    held: Option<Held>,
    notes: Vec<Note>,
    state: Name,
    accepted_by: Option<PersonRef>,
    accepted_at: Option<Timestamp>,
    completed_by: Option<PersonRef>,
    completed_at: Option<Timestamp>,
    cancelled_by: Option<PersonRef>,
    cancelled_at: Option<Timestamp>,
    cancel_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Open,
    Accepted,
    Completed,
    Cancelled,
}

impl TryFrom<Flat> for Request {
    type Error = String;

    fn try_from(flat: Flat) -> Result<Self, String> {
        let lacks = |field: &str| format!("a request in this state has `{field}`");
        let acceptance = flat.accepted_by.zip(flat.accepted_at);
        let acceptance = acceptance.map(|(accepted_by, accepted_at)| Acceptance { accepted_by, accepted_at });
        let state = match flat.state {
            Name::Open => RequestState::Open,
            Name::Accepted => RequestState::Accepted(acceptance.ok_or_else(|| lacks("accepted_by"))?),
            Name::Completed => RequestState::Completed {
                acceptance: acceptance.ok_or_else(|| lacks("accepted_by"))?,
                completed_by: flat.completed_by.ok_or_else(|| lacks("completed_by"))?,
                completed_at: flat.completed_at.ok_or_else(|| lacks("completed_at"))?,
            },
            Name::Cancelled => RequestState::Cancelled {
                acceptance,
                cancelled_by: flat.cancelled_by.ok_or_else(|| lacks("cancelled_by"))?,
                cancelled_at: flat.cancelled_at.ok_or_else(|| lacks("cancelled_at"))?,
                cancel_reason: flat.cancel_reason,
            },
        };
        Ok(Self {
            id: flat.id,
            place_id: flat.place_id,
            place_name: flat.place_name,
            guest_id: flat.guest_id,
            button_id: flat.button_id,
            created_by: flat.created_by,
            created_at: flat.created_at,
            kind: flat.kind,
            service: flat.service,
            priority: flat.priority,
            text: flat.text,
            press_count: flat.press_count,
            last_press_id: flat.last_press_id,
            last_press_at: flat.last_press_at,
            voice: flat.voice,
            held: flat.held,
            notes: flat.notes,
            state,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, open_request, sam, siri};

    #[test]
    fn a_request_in_any_state_is_read_as_it_was_written() {
        let acceptance = || Acceptance { accepted_by: siri().as_ref(), accepted_at: at(1) };
        let cancelled = |acceptance| RequestState::Cancelled {
            acceptance,
            cancelled_by: sam().as_ref(),
            cancelled_at: at(2),
            cancel_reason: Some("twice".to_owned()),
        };
        let completed =
            RequestState::Completed { acceptance: acceptance(), completed_by: sam().as_ref(), completed_at: at(2) };
        let states = [
            RequestState::Open,
            RequestState::Accepted(acceptance()),
            completed,
            cancelled(None),
            cancelled(Some(acceptance())),
        ];
        for state in states {
            let request = Request { state, ..open_request(at(0)) };
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request, "{text}");
        }
    }

    #[test]
    fn a_state_without_its_facts_is_no_request() {
        let request = Request {
            state: RequestState::Accepted(Acceptance { accepted_by: siri().as_ref(), accepted_at: at(1) }),
            ..open_request(at(0))
        };
        let mut json = serde_json::to_value(&request).unwrap();
        json.as_object_mut().unwrap().remove("accepted_at");
        let error = serde_json::from_value::<Request>(json).unwrap_err();
        assert!(error.to_string().contains("accepted_by"), "{error}");
    }
}
