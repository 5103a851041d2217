//! Plain-text descriptions of commands, for the exported outbox.

use crewbell_shared::button::ButtonVerb;
use crewbell_shared::call::CallVerb;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::guest::StayVerb;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::{EntityType, Verb};
use crewbell_shared::request::RequestVerb;
use crewbell_shared::site::SiteVerb;
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
        Verb::Request(RequestVerb::Create { place_id, text, .. }) => {
            let text = text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            format!("ask for somebody in {}{text}", place(place_id.0))
        }
        Verb::Request(RequestVerb::Accept { request_id }) => {
            format!("accept the request from {}", request(request_id.0))
        }
        Verb::Request(RequestVerb::Release { request_id }) => {
            format!("give back the request from {}", request(request_id.0))
        }
        Verb::Request(RequestVerb::HandOver { request_id, to }) => {
            format!("hand the request from {} over to {}", request(request_id.0), person(to.0))
        }
        Verb::Request(RequestVerb::Complete { request_id }) => {
            format!("complete the request from {}", request(request_id.0))
        }
        Verb::Request(RequestVerb::Cancel { request_id, reason }) => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("cancel the request from {}{reason}", request(request_id.0))
        }
        Verb::Request(RequestVerb::Note { request_id, text, .. }) => {
            format!("note on the request from {}: {text}", request(request_id.0))
        }
        Verb::Button(ButtonVerb::Assign { button_id, place_id, .. }) => {
            format!("say that {} is in {}", names.name(EntityType::Button, button_id.0), place(place_id.0))
        }
        Verb::Button(ButtonVerb::Create { device, place_id, .. }) => {
            format!("make the button {device} known in {}", place(place_id.0))
        }
        Verb::Button(ButtonVerb::Retire { button_id }) => {
            format!("take {} out of use", names.name(EntityType::Button, button_id.0))
        }
        Verb::Place(PlaceVerb::Save { name, .. }) => format!("save the place {name}"),
        Verb::Place(PlaceVerb::SetDoNotDisturb { place_id, on: is }) => {
            format!("do not disturb {}: {}", place(place_id.0), on(*is))
        }
        Verb::Guest(GuestVerb::Save { name, .. }) => format!("save the guest {name}"),
        Verb::Stay(StayVerb::CheckIn { guest_id, place_id, .. }) => {
            format!("check {} into {}", names.name(EntityType::Guest, guest_id.0), place(place_id.0))
        }
        Verb::Stay(StayVerb::CheckOut { stay_id }) => format!("check {} out", names.name(EntityType::Stay, stay_id.0)),
        Verb::Person(PersonVerb::Save { name, .. }) => format!("save the person {name}"),
        Verb::Person(PersonVerb::SetDuty { person_id, on_duty }) => {
            format!("duty of {}: {}", person(person_id.0), on(*on_duty))
        }
        Verb::Site(SiteVerb::SaveSettings { .. }) => "save the site's settings".to_owned(),
        Verb::Call(CallVerb::Start { callee_id, .. }) => format!("call {}", person(callee_id.0)),
        Verb::Call(CallVerb::Answer { call_id, .. }) => format!("answer the call {}", call(call_id.0)),
        Verb::Call(CallVerb::Reject { call_id }) => format!("reject the call {}", call(call_id.0)),
        Verb::Call(CallVerb::End { call_id, .. }) => format!("hang up the call {}", call(call_id.0)),
        Verb::Call(CallVerb::See { call_id }) => format!("mark the missed call {} as seen", call(call_id.0)),
        Verb::Person(PersonVerb::SetBusy { person_id, busy }) => {
            format!("busy, {}: {}", person(person_id.0), on(*busy))
        }
    }
}
