//! Example request bodies for the OpenAPI document; an end-to-end test sends them all.

use serde_json::{Value, json};

const ID: &str = "01936f3e-4b1a-7c00-8000-000000000001";
const OTHER: &str = "01936f3e-4b1a-7c00-8000-000000000002";

/// Returns the example of a body for a verb.
pub(super) fn verb_example(verb: &str) -> Option<Value> {
    Some(match verb {
        "create_request" => json!({ "place_id": ID, "kind": "service", "service": "bring_drinks", "priority": "normal",
                                "text": "Two lemonades" }),
        "hand_over_request" => json!({ "to": ID }),
        "cancel_request" => json!({ "reason": "Pressed by mistake" }),
        "note_request" => json!({ "text": "Two towels, please" }),
        "create_button" => json!({ "device": "cabin-5", "place_id": ID, "name": "Beside the bed" }),
        "assign_button" => json!({ "place_id": ID, "name": "Beside the bed" }),
        "save_place" => json!({ "name": "Cabin 5", "kind": "cabin", "parent_id": ID, "position": 5 }),
        "set_do_not_disturb" => json!({ "on": true }),
        "save_guest" => json!({ "name": "Mrs Hartmann", "notes": "Allergic to nuts" }),
        "check_in" => json!({ "guest_id": ID, "place_id": OTHER }),
        "save_person" => json!({ "name": "Siri", "role": "crew", "active": true }),
        "set_duty" => json!({ "on_duty": true }),
        "start_call" => json!({ "callee_id": ID, "about": { "entity_type": "request", "id": OTHER } }),
        "answer_call" => json!({ "call_id": ID, "endpoint": OTHER }),
        "reject_call" | "end_call" => json!({ "call_id": ID }),
        _ => return None,
    })
}

/// Returns the example for a schema.
pub(super) fn example(schema: &str) -> Option<Value> {
    Some(match schema {
        "Login" => json!({ "site": "my-serenity", "name": "Siri", "secret": "4711", "device_id": ID,
                           "device_name": "The pantry's tablet" }),
        "NewSecret" => json!({ "secret": "8251", "current": "4711" }),
        "Sent" => json!({ "call_id": ID, "from": ID, "to": OTHER, "signal": { "s": "ready" } }),
        "Update" => json!({ "status": "busy" }),
        "SiteSettings" => json!({
            "press_window_s": 20, "retention_days": 400, "ring_time_s": 60, "session_days": 30, "closed_days": 7,
            "time_zone": "Europe/Zagreb",
            "services": [{ "key": "aux2", "code": "lights", "priority": "low" }],
        }),
        "Commands" => json!({ "commands": [
            { "id": ID, "type": "accept_request", "request_id": OTHER, "made_at": "2026-11-21T10:30:00Z" },
        ] }),
        _ => return None,
    })
}
