//! Plain-text descriptions of commands, for the exported outbox.

use crewbell_shared::protocol::{EntityType, Verb};
use uuid::Uuid;

use super::names::Names;

/// Describes a command.
pub(super) fn of(verb: &Verb, names: &Names) -> String {
    let request = |id: Uuid| names.name(EntityType::Request, id);
    let place = |id: Uuid| names.name(EntityType::Place, id);
    let person = |id: Uuid| names.name(EntityType::Person, id);
    let call = |id: Uuid| names.name(EntityType::Call, id);
    let on = |on: bool| if on { "on" } else { "off" };
    match verb {
        Verb::CreateRequest { place_id, text, .. } => {
            let text = text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            format!("ask for somebody in {}{text}", place(place_id.0))
        }
        Verb::AcceptRequest { request_id } => format!("accept the request from {}", request(request_id.0)),
        Verb::ReleaseRequest { request_id } => format!("give back the request from {}", request(request_id.0)),
        Verb::HandOverRequest { request_id, to } => {
            format!("hand the request from {} over to {}", request(request_id.0), person(to.0))
        }
        Verb::CompleteRequest { request_id } => format!("complete the request from {}", request(request_id.0)),
        Verb::CancelRequest { request_id, reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("cancel the request from {}{reason}", request(request_id.0))
        }
        Verb::NoteRequest { request_id, text, .. } => {
            format!("note on the request from {}: {text}", request(request_id.0))
        }
        Verb::AssignButton { button_id, place_id, .. } => {
            format!("say that {} is in {}", names.name(EntityType::Button, button_id.0), place(place_id.0))
        }
        Verb::CreateButton { device, place_id, .. } => {
            format!("make the button {device} known in {}", place(place_id.0))
        }
        Verb::RetireButton { button_id } => {
            format!("take {} out of use", names.name(EntityType::Button, button_id.0))
        }
        Verb::SavePlace { name, .. } => format!("save the place {name}"),
        Verb::SetDoNotDisturb { place_id, on: is } => format!("do not disturb {}: {}", place(place_id.0), on(*is)),
        Verb::SaveGuest { name, .. } => format!("save the guest {name}"),
        Verb::CheckIn { guest_id, place_id, .. } => {
            format!("check {} into {}", names.name(EntityType::Guest, guest_id.0), place(place_id.0))
        }
        Verb::CheckOut { stay_id } => format!("check {} out", names.name(EntityType::Stay, stay_id.0)),
        Verb::SavePerson { name, .. } => format!("save the person {name}"),
        Verb::SetDuty { person_id, on_duty } => format!("duty of {}: {}", person(person_id.0), on(*on_duty)),
        Verb::SaveSettings { .. } => "save the site's settings".to_owned(),
        Verb::StartCall { callee_id, .. } => format!("call {}", person(callee_id.0)),
        Verb::AnswerCall { call_id, .. } => format!("answer the call {}", call(call_id.0)),
        Verb::RejectCall { call_id } => format!("reject the call {}", call(call_id.0)),
        Verb::EndCall { call_id, .. } => format!("hang up the call {}", call(call_id.0)),
        Verb::SeeCall { call_id } => format!("mark the missed call {} as seen", call(call_id.0)),
        Verb::SetBusy { person_id, busy } => format!("busy, {}: {}", person(person_id.0), on(*busy)),
    }
}
