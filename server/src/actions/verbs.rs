//! Maps each verb on the wire to its action: the table of contents of what clients may do.

use crewbell_shared::protocol::Verb;
use sha2::{Digest, Sha256};

use super::Action;
use super::accept_request::AcceptRequest;
use super::answer_call::AnswerCall;
use super::assign_button::AssignButton;
use super::cancel_request::CancelRequest;
use super::check_in::CheckIn;
use super::check_out::CheckOut;
use super::complete_request::CompleteRequest;
use super::create_button::CreateButton;
use super::create_request::CreateRequest;
use super::end_call::EndCall;
use super::hand_over_request::HandOverRequest;
use super::note_request::NoteRequest;
use super::reject_call::RejectCall;
use super::release_request::ReleaseRequest;
use super::retire_button::RetireButton;
use super::save_guest::SaveGuest;
use super::save_person::SavePerson;
use super::save_place::SavePlace;
use super::save_settings::SaveSettings;
use super::see_call::SeeCall;
use super::set_busy::SetBusy;
use super::set_do_not_disturb::SetDoNotDisturb;
use super::set_duty::SetDuty;
use super::start_call::StartCall;

/// Returns the action of a verb.
pub fn action(verb: Verb) -> Box<dyn Action> {
    match verb {
        Verb::CreateRequest { request_id, place_id, kind, service, priority, text } => {
            Box::new(CreateRequest { request_id, place_id, kind, service, priority, text })
        }
        Verb::AcceptRequest { request_id } => Box::new(AcceptRequest { request_id }),
        Verb::ReleaseRequest { request_id } => Box::new(ReleaseRequest { request_id }),
        Verb::HandOverRequest { request_id, to } => Box::new(HandOverRequest { request_id, to }),
        Verb::CompleteRequest { request_id } => Box::new(CompleteRequest { request_id }),
        Verb::CancelRequest { request_id, reason } => Box::new(CancelRequest { request_id, reason }),
        Verb::NoteRequest { request_id, note_id, text } => Box::new(NoteRequest { request_id, note_id, text }),
        Verb::AssignButton { button_id, place_id, name } => Box::new(AssignButton { button_id, place_id, name }),
        Verb::CreateButton { button_id, device, place_id, name } => {
            Box::new(CreateButton { button_id, device, place_id, name })
        }
        Verb::RetireButton { button_id } => Box::new(RetireButton { button_id }),
        Verb::SavePlace { place_id, parent_id, name, kind, position } => {
            Box::new(SavePlace { place_id, parent_id, name, kind, position })
        }
        Verb::SetDoNotDisturb { place_id, on } => Box::new(SetDoNotDisturb { place_id, on }),
        Verb::SaveGuest { guest_id, name, notes } => Box::new(SaveGuest { guest_id, name, notes }),
        Verb::CheckIn { stay_id, guest_id, place_id } => Box::new(CheckIn { stay_id, guest_id, place_id }),
        Verb::CheckOut { stay_id } => Box::new(CheckOut { stay_id }),
        Verb::SavePerson { person_id, name, role, active } => Box::new(SavePerson { person_id, name, role, active }),
        Verb::SetDuty { person_id, on_duty } => Box::new(SetDuty { person_id, on_duty }),
        Verb::SaveSettings { settings } => Box::new(SaveSettings { settings }),
        Verb::StartCall { call_id, callee_id, about, endpoint } => {
            Box::new(StartCall { call_id, callee_id, about, endpoint })
        }
        Verb::AnswerCall { call_id, endpoint } => Box::new(AnswerCall { call_id, endpoint }),
        Verb::RejectCall { call_id } => Box::new(RejectCall { call_id }),
        Verb::EndCall { call_id, dropped } => Box::new(EndCall { call_id, dropped }),
        Verb::SeeCall { call_id } => Box::new(SeeCall { call_id }),
        Verb::SetBusy { person_id, busy } => Box::new(SetBusy { person_id, busy }),
    }
}

/// Returns the verb's name, and the SHA-256 of the verb with its arguments, which distinguishes a repeated command from
/// another one under the same id.
///
/// # Errors
/// Returns `serde_json`'s error, which these types can't cause.
pub fn digest(verb: &Verb) -> serde_json::Result<(String, Vec<u8>)> {
    let json = serde_json::to_value(verb)?;
    let name = json.get("type").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    Ok((name, Sha256::digest(json.to_string()).to_vec()))
}
