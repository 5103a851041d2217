//! The rules of every verb: the changes that a command makes, or its refusal.
//!
//! The server decides commands by them, and an offline app predicts by them a command's effect. They are pure: a rule
//! reads the site through [`StateView`], and time is an argument. Constraints over the whole site (a unique name, one stay
//! per guest) are enforced by the database's unique keys, on the server alone.
//!
//! # To add a verb
//! 1. Its variant in [`Verb`], and its arms in `protocol/about.rs`.
//! 2. Its rule, a method of [`DecisionContext`], in the file of its entity here; its arm in [`decide`].
//! 3. Its rows in the table test, and its line in `any_verb`, in `rules/tests.rs`.
//! 4. Its file in the server's `actions/`.

mod buttons;
mod calls;
mod guests;
mod people;
mod places;
mod requests;
mod site;
mod texts;

use jiff::Timestamp;

use crate::Refusal;
use crate::button::Button;
use crate::call::Call;
use crate::guest::{Guest, Stay};
use crate::ids::{ButtonId, CallId, GuestId, PersonId, PlaceId, RequestId, StayId};
use crate::person::{Actor, Person};
use crate::place::Place;
use crate::protocol::{Entity, Verb};
use crate::request::Request;
use crate::site::Site;

pub use texts::{MAX_NAME, name, words};

/// Read access of the rules to the site.
pub trait StateView: std::fmt::Debug {
    /// The site.
    fn site(&self) -> &Site;
    /// A request.
    fn request(&self, id: RequestId) -> Option<&Request>;
    /// A member of the crew.
    fn person(&self, id: PersonId) -> Option<&Person>;
    /// A place.
    fn place(&self, id: PlaceId) -> Option<&Place>;
    /// A guest.
    fn guest(&self, id: GuestId) -> Option<&Guest>;
    /// A stay, also an ended one.
    fn stay(&self, id: StayId) -> Option<&Stay>;
    /// A button.
    fn button(&self, id: ButtonId) -> Option<&Button>;
    /// A voice call.
    fn call(&self, id: CallId) -> Option<&Call>;
    /// The live call of a person, as caller or callee; there is one at most.
    fn live_call_of(&self, person: PersonId) -> Option<&Call>;
    /// Whether a call to the person would ring: they have a device with an open socket or a recent check-in.
    fn is_reachable(&self, person: PersonId) -> bool;
    /// A button by its id on the wire.
    fn device(&self, device: &str) -> Option<&Button>;
    /// The guest who has stayed longest in a place; see [`longest_in`](crate::guest::longest_in).
    fn guest_in(&self, place: PlaceId) -> Option<GuestId>;
    /// Whether a place has other guests than that of the stay `beside`; see
    /// [`others_stay_in`](crate::guest::others_stay_in).
    fn others_stay_in(&self, place: PlaceId, beside: StayId) -> bool;
}

/// A new state of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The entity, in full.
    pub entity: Entity,
    /// The type of its log entry, in the past tense.
    pub kind: &'static str,
}

/// The decision of a rule: its changes, in order, or the refusal. Empty if nothing changes.
pub type Decision = Result<Vec<Change>, Refusal>;

/// The input of a decision: the site's state, the actor and the time. Its methods are the rules.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext<'a> {
    /// Access to the site's state.
    pub view: &'a dyn StateView,
    /// The actor, in their present state.
    pub actor: &'a Actor,
    /// The time of the decision.
    pub at: Timestamp,
}

/// Decides which changes a verb by an actor makes at a time.
///
/// # Errors
/// Returns the rules' refusal; then nothing changes.
pub fn decide(verb: &Verb, sight: &dyn StateView, actor: &Actor, at: Timestamp) -> Decision {
    let case = DecisionContext { view: sight, actor, at };
    match verb {
        Verb::CreateRequest { request_id, place_id, kind, service, priority, text } => {
            case.create_request(*request_id, *place_id, *kind, service.as_deref(), *priority, text.as_deref())
        }
        Verb::AcceptRequest { request_id } => case.accept_request(*request_id),
        Verb::ReleaseRequest { request_id } => case.release_request(*request_id),
        Verb::HandOverRequest { request_id, to } => case.hand_over_request(*request_id, *to),
        Verb::CompleteRequest { request_id } => case.complete_request(*request_id),
        Verb::CancelRequest { request_id, reason } => case.cancel_request(*request_id, reason.as_deref()),
        Verb::NoteRequest { request_id, note_id, text } => case.note_request(*request_id, *note_id, text),
        Verb::AssignButton { button_id, place_id, name } => case.assign_button(*button_id, *place_id, name.as_deref()),
        Verb::CreateButton { button_id, device, place_id, name } => {
            case.create_button(*button_id, device, *place_id, name.as_deref())
        }
        Verb::RetireButton { button_id } => case.retire_button(*button_id),
        Verb::SavePlace { place_id, parent_id, name, kind, position } => {
            case.save_place(*place_id, *parent_id, name, *kind, *position)
        }
        Verb::SetDoNotDisturb { place_id, on } => case.set_do_not_disturb(*place_id, *on),
        Verb::SaveGuest { guest_id, name, notes } => case.save_guest(*guest_id, name, notes),
        Verb::CheckIn { stay_id, guest_id, place_id } => case.check_in(*stay_id, *guest_id, *place_id),
        Verb::CheckOut { stay_id } => case.check_out(*stay_id),
        Verb::SavePerson { person_id, name, role, active } => case.save_person(*person_id, name, *role, *active),
        Verb::SetDuty { person_id, on_duty } => case.set_duty(*person_id, *on_duty),
        Verb::SaveSettings { settings } => case.save_settings(settings),
        Verb::StartCall { call_id, callee_id, about, endpoint } => {
            case.start_call(*call_id, *callee_id, about.as_ref(), *endpoint)
        }
        Verb::AnswerCall { call_id, endpoint } => case.answer_call(*call_id, *endpoint),
        Verb::RejectCall { call_id } => case.reject_call(*call_id),
        Verb::EndCall { call_id, dropped } => case.end_call(*call_id, *dropped),
        Verb::SeeCall { call_id } => case.see_call(*call_id),
        Verb::SetBusy { person_id, busy } => case.set_busy(*person_id, *busy),
    }
}

/// Lookups of the entities that a rule requires.
impl DecisionContext<'_> {
    fn request(&self, id: RequestId) -> Result<&Request, Refusal> {
        self.view.request(id).ok_or_else(|| Refusal::not_found("request"))
    }

    fn person(&self, id: PersonId) -> Result<&Person, Refusal> {
        self.view.person(id).ok_or_else(|| Refusal::not_found("person"))
    }

    fn place(&self, id: PlaceId) -> Result<&Place, Refusal> {
        self.view.place(id).ok_or_else(|| Refusal::not_found("place"))
    }

    fn guest(&self, id: GuestId) -> Result<&Guest, Refusal> {
        self.view.guest(id).ok_or_else(|| Refusal::not_found("guest"))
    }

    fn stay(&self, id: StayId) -> Result<&Stay, Refusal> {
        self.view.stay(id).ok_or_else(|| Refusal::not_found("stay"))
    }

    fn call(&self, id: CallId) -> Result<&Call, Refusal> {
        self.view.call(id).ok_or_else(|| Refusal::not_found("call"))
    }

    fn button(&self, id: ButtonId) -> Result<&Button, Refusal> {
        self.view.button(id).ok_or_else(|| Refusal::not_found("button"))
    }

    /// Whether the actor is that person.
    fn is_actor(&self, id: PersonId) -> bool {
        self.actor.person().is_some_and(|person| person.id == id)
    }
}

impl Change {
    fn new(entity: impl Into<Entity>, kind: &'static str) -> Self {
        Self { entity: entity.into(), kind }
    }
}

/// The change of an entity that is saved in full: created, changed, or none.
fn saved<T>(before: Option<&T>, after: T, created: &'static str, changed: &'static str) -> Vec<Change>
where
    T: PartialEq + Into<Entity>,
{
    match before {
        None => vec![Change::new(after, created)],
        Some(before) if *before == after => Vec::new(),
        Some(_) => vec![Change::new(after, changed)],
    }
}

#[cfg(test)]
mod tests;
