//! Commands in words: a sentence for each verb, for the outbox and for refusals.

use crewbell_core::screen::{Act, Deed};
use crewbell_core::store::EntityKey;
use crewbell_shared::ids::{ButtonId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crewbell_shared::protocol::EntityType;

use super::{fill, names, words};
use crate::state::AppState;

/// Describes a command in words. Entities that it refers to are named as far as they are known.
pub fn doing(state: AppState, deed: &Deed) -> String {
    let w = &words().verbs;
    let known = Known { state };
    let what = || known.noun(deed.about);
    match &deed.act {
        Act::CreateRequest(place) => fill(w.create_request, &[("place", &known.place(*place))]),
        Act::AcceptRequest => fill(w.accept_request, &[("what", &what())]),
        Act::ReleaseRequest => fill(w.release_request, &[("what", &what())]),
        Act::HandOverRequest(to) => fill(w.hand_over_request, &[("what", &what()), ("who", &known.person(*to))]),
        Act::CompleteRequest => fill(w.complete_request, &[("what", &what())]),
        Act::CancelRequest => fill(w.cancel_request, &[("what", &what())]),
        Act::NoteRequest { text, .. } => fill(w.note_request, &[("what", &what()), ("text", text)]),
        Act::AssignButton(place) => fill(w.assign_button, &[("what", &what()), ("place", &known.place(*place))]),
        Act::CreateButton { device, place_id } => {
            fill(w.create_button, &[("what", device), ("place", &known.place(*place_id))])
        }
        Act::RetireButton => fill(w.retire_button, &[("what", &what())]),
        Act::SavePlace(name) => fill(w.save_place, &[("what", name)]),
        Act::SetDoNotDisturb(on) => fill(if *on { w.dnd_on } else { w.dnd_off }, &[("what", &what())]),
        Act::SaveGuest(name) => fill(w.save_guest, &[("what", name)]),
        Act::CheckIn { guest_id, place_id } => {
            fill(w.check_in, &[("who", &known.guest(*guest_id)), ("place", &known.place(*place_id))])
        }
        Act::CheckOut => fill(w.check_out, &[("who", &what())]),
        Act::SavePerson(name) => fill(w.save_person, &[("what", name)]),
        Act::SetDuty(on) => fill(if *on { w.on_duty } else { w.off_duty }, &[("who", &what())]),
        Act::SaveSettings => w.save_settings.to_owned(),
        Act::StartCall(callee) => fill(w.start_call, &[("who", &known.person(*callee))]),
        Act::AnswerCall => w.answer_call.to_owned(),
        Act::RejectCall => w.reject_call.to_owned(),
        Act::EndCall => w.end_call.to_owned(),
        Act::SeeCall => w.see_call.to_owned(),
        Act::SetBusy(busy) => fill(if *busy { w.busy } else { w.not_busy }, &[("who", &what())]),
    }
}

/// Looks up the names of entities by id, as far as known.
struct Known {
    state: AppState,
}

impl Known {
    fn noun(&self, key: Option<EntityKey>) -> String {
        let Some(EntityKey { entity_type, id }) = key else { return or_gone(None) };
        match entity_type {
            EntityType::Request => self.request(id.into()),
            EntityType::Place => self.place(id.into()),
            EntityType::Person => self.person(id.into()),
            EntityType::Guest => self.guest(id.into()),
            EntityType::Stay => self.stay(id.into()),
            EntityType::Button => self.button(id.into()),
            // No sentence names these.
            EntityType::Site | EntityType::Call => or_gone(None),
        }
    }

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
