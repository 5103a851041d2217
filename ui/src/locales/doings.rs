//! What a person did, in words: a sentence for each verb, for the outbox and for refusals.

use crewbell_shared::ids::{ButtonId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crewbell_shared::protocol::Verb;

use super::{fill, names, words};
use crate::state::State;

/// A verb in words, naming what it is about as far as that is known now.
pub fn doing(state: State, verb: &Verb) -> String {
    let w = &words().verbs;
    let known = Known { state };
    match verb {
        Verb::CreateRequest { place_id, .. } => fill(w.create_request, &[("place", &known.place(*place_id))]),
        Verb::AcceptRequest { request_id } => fill(w.accept_request, &[("what", &known.request(*request_id))]),
        Verb::ReleaseRequest { request_id } => fill(w.release_request, &[("what", &known.request(*request_id))]),
        Verb::HandOverRequest { request_id, to } => {
            fill(w.hand_over_request, &[("what", &known.request(*request_id)), ("who", &known.person(*to))])
        }
        Verb::CompleteRequest { request_id } => fill(w.complete_request, &[("what", &known.request(*request_id))]),
        Verb::CancelRequest { request_id, .. } => fill(w.cancel_request, &[("what", &known.request(*request_id))]),
        Verb::NoteRequest { request_id, text, .. } => {
            fill(w.note_request, &[("what", &known.request(*request_id)), ("text", text)])
        }
        Verb::AssignButton { button_id, place_id, .. } => {
            fill(w.assign_button, &[("what", &known.button(*button_id)), ("place", &known.place(*place_id))])
        }
        Verb::CreateButton { device, place_id, .. } => {
            fill(w.create_button, &[("what", device), ("place", &known.place(*place_id))])
        }
        Verb::RetireButton { button_id } => fill(w.retire_button, &[("what", &known.button(*button_id))]),
        Verb::SavePlace { name, .. } => fill(w.save_place, &[("what", name)]),
        Verb::SetDoNotDisturb { place_id, on } => {
            fill(if *on { w.dnd_on } else { w.dnd_off }, &[("what", &known.place(*place_id))])
        }
        Verb::SaveGuest { name, .. } => fill(w.save_guest, &[("what", name)]),
        Verb::CheckIn { guest_id, place_id, .. } => {
            fill(w.check_in, &[("who", &known.guest(*guest_id)), ("place", &known.place(*place_id))])
        }
        Verb::CheckOut { stay_id } => fill(w.check_out, &[("who", &known.stay(*stay_id))]),
        Verb::SavePerson { name, .. } => fill(w.save_person, &[("who", name)]),
        Verb::SetDuty { person_id, on_duty } => {
            fill(if *on_duty { w.on_duty } else { w.off_duty }, &[("who", &known.person(*person_id))])
        }
        Verb::SaveSettings { .. } => w.save_settings.to_owned(),
        Verb::StartCall { callee_id, .. } => fill(w.start_call, &[("who", &known.person(*callee_id))]),
        Verb::AnswerCall { .. } => w.answer_call.to_owned(),
        Verb::RejectCall { .. } => w.reject_call.to_owned(),
        Verb::EndCall { .. } => w.end_call.to_owned(),
        Verb::SeeCall { .. } => w.see_call.to_owned(),
        Verb::SetBusy { person_id, busy } => {
            fill(if *busy { w.busy } else { w.not_busy }, &[("who", &known.person(*person_id))])
        }
    }
}

/// What ids stand for, as far as it is known.
struct Known {
    state: State,
}

impl Known {
    fn request(&self, id: RequestId) -> String {
        let request = self.state.requests.get(id);
        or_gone(request.map(|item| format!("{} · {}", item.noun.place_name, names::wish(&item.noun))))
    }

    fn place(&self, id: PlaceId) -> String {
        or_gone(self.state.places.get(id).map(|item| item.noun.name))
    }

    fn person(&self, id: PersonId) -> String {
        or_gone(self.state.people.get(id).map(|item| item.noun.name))
    }

    fn guest(&self, id: GuestId) -> String {
        or_gone(self.state.guest_name(id))
    }

    fn stay(&self, id: StayId) -> String {
        or_gone(self.state.stays.get(id).and_then(|item| self.state.guest_name(item.noun.guest_id)))
    }

    fn button(&self, id: ButtonId) -> String {
        or_gone(self.state.buttons.get(id).map(|item| item.noun.name.unwrap_or(item.noun.device)))
    }
}

fn or_gone(name: Option<String>) -> String {
    name.unwrap_or_else(|| words().verbs.unknown_thing.to_owned())
}
