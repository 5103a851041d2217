//! Example request bodies for the OpenAPI document; an end-to-end test sends them all.

use serde_json::{Value, json};

/// Returns the example for a schema.
pub(super) fn example(schema: &str) -> Option<Value> {
    const ID: &str = "01936f3e-4b1a-7c00-8000-000000000001";
    const OTHER: &str = "01936f3e-4b1a-7c00-8000-000000000002";
    Some(match schema {
        "Login" => json!({ "site": "my-serenity", "name": "Siri", "secret": "4711", "device_id": ID,
                           "device_name": "The pantry's tablet" }),
        "NewSecret" => json!({ "secret": "8251", "current": "4711" }),
        "NewRequest" => json!({ "place_id": ID, "kind": "service", "service": "bring_drinks", "priority": "normal",
                                "text": "Two lemonades" }),
        "HandOver" => json!({ "to": ID }),
        "Cancel" => json!({ "reason": "Pressed by mistake" }),
        "NewNote" => json!({ "text": "Two towels, please" }),
        "NewButton" => json!({ "device": "cabin-5", "place_id": ID, "name": "Beside the bed" }),
        "Assignment" => json!({ "place_id": ID, "name": "Beside the bed" }),
        "NewPlace" | "PlaceFields" => json!({ "name": "Cabin 5", "kind": "cabin", "parent_id": ID, "position": 5 }),
        "DoNotDisturb" => json!({ "on": true }),
        "NewGuest" | "GuestFields" => json!({ "name": "Mrs Hartmann", "notes": "Allergic to nuts" }),
        "NewStay" => json!({ "guest_id": ID, "place_id": OTHER }),
        "NewPerson" | "PersonFields" => json!({ "name": "Siri", "role": "crew", "active": true }),
        "Duty" => json!({ "on_duty": true }),
        "NewCall" => json!({ "callee_id": ID, "about": { "noun": "request", "id": OTHER } }),
        "Answered" => json!({ "call_id": ID, "endpoint": OTHER }),
        "Rejected" | "HungUp" => json!({ "call_id": ID }),
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
