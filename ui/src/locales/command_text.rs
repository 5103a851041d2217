//! Commands in words: a sentence for each verb, for the outbox and for refusals.

use crewbell_core::store::EntityKey;
use crewbell_shared::button::ButtonVerb;
use crewbell_shared::call::CallVerb;
use crewbell_shared::guest::{GuestVerb, StayVerb};
use crewbell_shared::ids::{ButtonId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crewbell_shared::person::PersonVerb;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::{EntityType, Verb};
use crewbell_shared::request::RequestVerb;
use crewbell_shared::site::SiteVerb;

use super::{fill, names, words};
use crate::state::AppState;

/// Describes a command in words. Entities that it refers to are named as far as they are known.
pub fn doing(state: AppState, verb: &Verb) -> String {
    let w = &words().verbs;
    let known = Known { state };
    let what = || known.entity(verb.subject());
    match verb {
        Verb::Site(SiteVerb::SaveSettings { .. }) => w.save_settings.to_owned(),
        Verb::Person(PersonVerb::Save { name, .. }) => fill(w.save_person, &[("what", name)]),
        Verb::Person(PersonVerb::SetDuty { on_duty, .. }) => {
            fill(if *on_duty { w.on_duty } else { w.off_duty }, &[("who", &what())])
        }
        Verb::Person(PersonVerb::SetBusy { busy, .. }) => {
            fill(if *busy { w.busy } else { w.not_busy }, &[("who", &what())])
        }
        Verb::Place(PlaceVerb::Save { name, .. }) => fill(w.save_place, &[("what", name)]),
        Verb::Place(PlaceVerb::SetDoNotDisturb { on, .. }) => {
            fill(if *on { w.dnd_on } else { w.dnd_off }, &[("what", &what())])
        }
        Verb::Guest(GuestVerb::Save { name, .. }) => fill(w.save_guest, &[("what", name)]),
        Verb::Stay(StayVerb::CheckIn { guest_id, place_id, .. }) => {
            fill(w.check_in, &[("who", &known.guest(*guest_id)), ("place", &known.place(*place_id))])
        }
        Verb::Stay(StayVerb::CheckOut { .. }) => fill(w.check_out, &[("who", &what())]),
        Verb::Button(ButtonVerb::Assign { place_id, .. }) => {
            fill(w.assign_button, &[("what", &what()), ("place", &known.place(*place_id))])
        }
        Verb::Button(ButtonVerb::Create { device, place_id, .. }) => {
            fill(w.create_button, &[("what", device), ("place", &known.place(*place_id))])
        }
        Verb::Button(ButtonVerb::Retire { .. }) => fill(w.retire_button, &[("what", &what())]),
        Verb::Request(RequestVerb::Create { place_id, .. }) => {
            fill(w.create_request, &[("place", &known.place(*place_id))])
        }
        Verb::Request(RequestVerb::Accept { .. }) => fill(w.accept_request, &[("what", &what())]),
        Verb::Request(RequestVerb::Release { .. }) => fill(w.release_request, &[("what", &what())]),
        Verb::Request(RequestVerb::HandOver { to, .. }) => {
            fill(w.hand_over_request, &[("what", &what()), ("who", &known.person(*to))])
        }
        Verb::Request(RequestVerb::Complete { .. }) => fill(w.complete_request, &[("what", &what())]),
        Verb::Request(RequestVerb::Cancel { .. }) => fill(w.cancel_request, &[("what", &what())]),
        Verb::Request(RequestVerb::Note { text, .. }) => fill(w.note_request, &[("what", &what()), ("text", text)]),
        Verb::Call(CallVerb::Start { callee_id, .. }) => fill(w.start_call, &[("who", &known.person(*callee_id))]),
        Verb::Call(CallVerb::Answer { .. }) => w.answer_call.to_owned(),
        Verb::Call(CallVerb::Reject { .. }) => w.reject_call.to_owned(),
        Verb::Call(CallVerb::End { .. }) => w.end_call.to_owned(),
        Verb::Call(CallVerb::See { .. }) => w.see_call.to_owned(),
    }
}

/// Looks up the names of entities by id, as far as known.
struct Known {
    state: AppState,
}

impl Known {
    fn entity(&self, key: Option<EntityKey>) -> String {
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
        or_gone(request.map(|item| format!("{} · {}", item.entity.place_name, names::wish(&item.entity))))
    }

    fn place(&self, id: PlaceId) -> String {
        or_gone(self.state.places.get(id).map(|item| item.entity.name))
    }

    fn person(&self, id: PersonId) -> String {
        or_gone(self.state.people.get(id).map(|item| item.entity.name))
    }

    fn guest(&self, id: GuestId) -> String {
        or_gone(self.state.guest_name(id))
    }

    fn stay(&self, id: StayId) -> String {
        or_gone(self.state.stays.get(id).and_then(|item| self.state.guest_name(item.entity.guest_id)))
    }

    fn button(&self, id: ButtonId) -> String {
        or_gone(self.state.buttons.get(id).map(|item| item.entity.name.unwrap_or(item.entity.device)))
    }
}

fn or_gone(name: Option<String>) -> String {
    name.unwrap_or_else(|| words().verbs.unknown_thing.to_owned())
}
