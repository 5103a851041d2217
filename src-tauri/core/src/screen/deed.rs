//! Display form of commands for the UI.
//!
//! A window sends [`Verb`]s but never receives one: a verb holds more than its description needs, and its parser would
//! be the largest piece of code in the window.

use crewbell_shared::ids::{GuestId, NoteId, PersonId, PlaceId};
use crewbell_shared::protocol::Verb;
use serde::{Deserialize, Serialize};

use crate::store::EntityKey;

/// A command's verb, reduced to what its description needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The entity concerned; none for the site itself.
    pub about: Option<EntityKey>,
    /// The action.
    pub act: Act,
}

/// The action of a verb, with the parameters to display beside the entity concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Raise a request at a place.
    CreateRequest(PlaceId),
    /// Accept a request.
    AcceptRequest,
    /// Release a request.
    ReleaseRequest,
    /// Hand a request over to a colleague.
    HandOverRequest(PersonId),
    /// Complete a request.
    CompleteRequest,
    /// Cancel a request.
    CancelRequest,
    /// Add a note to a request.
    NoteRequest {
        /// The note's id.
        note_id: NoteId,
        /// The note's text.
        text: String,
    },
    /// Assign a button to a place.
    AssignButton(PlaceId),
    /// Register a button.
    CreateButton {
        /// The button's device id on the wire.
        device: String,
        /// The button's place.
        place_id: PlaceId,
    },
    /// Retire a button.
    RetireButton,
    /// Save a place with this name.
    SavePlace(String),
    /// Switch a place's do-not-disturb on or off.
    SetDoNotDisturb(bool),
    /// Save a guest with this name.
    SaveGuest(String),
    /// Check a guest in.
    CheckIn {
        /// The guest.
        guest_id: GuestId,
        /// The place.
        place_id: PlaceId,
    },
    /// Check a guest out.
    CheckOut,
    /// Save a crew member with this name.
    SavePerson(String),
    /// Put a person on or off duty.
    SetDuty(bool),
    /// Change the site's settings.
    SaveSettings,
    /// Call a colleague.
    StartCall(PersonId),
    /// Answer a call.
    AnswerCall,
    /// Reject a call.
    RejectCall,
    /// End a call.
    EndCall,
    /// Mark a missed call as seen.
    SeeCall,
    /// Switch the person's busy state on or off.
    SetBusy(bool),
}

impl From<&Verb> for Deed {
    fn from(verb: &Verb) -> Self {
        Self { about: verb.subject().map(|(noun, id)| EntityKey::new(noun, id)), act: verb.into() }
    }
}

impl From<&Verb> for Act {
    fn from(verb: &Verb) -> Self {
        match verb {
            Verb::CreateRequest { place_id, .. } => Self::CreateRequest(*place_id),
            Verb::AcceptRequest { .. } => Self::AcceptRequest,
            Verb::ReleaseRequest { .. } => Self::ReleaseRequest,
            Verb::HandOverRequest { to, .. } => Self::HandOverRequest(*to),
            Verb::CompleteRequest { .. } => Self::CompleteRequest,
            Verb::CancelRequest { .. } => Self::CancelRequest,
            Verb::NoteRequest { note_id, text, .. } => Self::NoteRequest { note_id: *note_id, text: text.clone() },
            Verb::AssignButton { place_id, .. } => Self::AssignButton(*place_id),
            Verb::CreateButton { device, place_id, .. } => {
                Self::CreateButton { device: device.clone(), place_id: *place_id }
            }
            Verb::RetireButton { .. } => Self::RetireButton,
            Verb::SavePlace { name, .. } => Self::SavePlace(name.clone()),
            Verb::SetDoNotDisturb { on, .. } => Self::SetDoNotDisturb(*on),
            Verb::SaveGuest { name, .. } => Self::SaveGuest(name.clone()),
            Verb::CheckIn { guest_id, place_id, .. } => Self::CheckIn { guest_id: *guest_id, place_id: *place_id },
            Verb::CheckOut { .. } => Self::CheckOut,
            Verb::SavePerson { name, .. } => Self::SavePerson(name.clone()),
            Verb::SetDuty { on_duty, .. } => Self::SetDuty(*on_duty),
            Verb::SaveSettings { .. } => Self::SaveSettings,
            Verb::StartCall { callee_id, .. } => Self::StartCall(*callee_id),
            Verb::AnswerCall { .. } => Self::AnswerCall,
            Verb::RejectCall { .. } => Self::RejectCall,
            Verb::EndCall { .. } => Self::EndCall,
            Verb::SeeCall { .. } => Self::SeeCall,
            Verb::SetBusy { busy, .. } => Self::SetBusy(*busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::EntityType;
    use crewbell_shared::testing::id;

    use super::*;

    #[test]
    fn a_deed_names_what_its_verb_is_about_and_what_it_does_with_it() {
        let verb = Verb::HandOverRequest { request_id: id(1), to: id(2) };
        let deed = Deed {
            about: Some(EntityKey { entity_type: EntityType::Request, id: id(1) }),
            act: Act::HandOverRequest(id(2)),
        };
        assert_eq!(Deed::from(&verb), deed);
        let settings = Verb::SaveSettings { settings: crewbell_shared::site::SiteSettings::default() };
        assert_eq!(Deed::from(&settings), Deed { about: None, act: Act::SaveSettings });
    }
}
