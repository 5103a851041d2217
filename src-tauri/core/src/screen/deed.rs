//! What a person did, as a window tells of it.
//!
//! A window sends [`Verb`]s and is never sent one: they say more than a sentence about them does, and reading them would
//! be the largest piece of code in it.

use crewbell_shared::ids::{GuestId, NoteId, PersonId, PlaceId};
use crewbell_shared::protocol::Verb;
use serde::{Deserialize, Serialize};

use crate::store::Key;

/// What a person did: a verb, as far as a sentence about it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The noun that it is about; none for the site itself.
    pub about: Option<Key>,
    /// What was done with it.
    pub act: Act,
}

/// A verb, with what it names beside the noun that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Asked for something, there.
    CreateRequest(PlaceId),
    /// Took it.
    AcceptRequest,
    /// Gave it back.
    ReleaseRequest,
    /// Gave it to that colleague.
    HandOverRequest(PersonId),
    /// Said that the guest was served.
    CompleteRequest,
    /// Said that it came to nothing.
    CancelRequest,
    /// Wrote something on it.
    NoteRequest {
        /// The note.
        note_id: NoteId,
        /// What is in it.
        text: String,
    },
    /// Said that it is there.
    AssignButton(PlaceId),
    /// Made it known.
    CreateButton {
        /// Its id on the wire.
        device: String,
        /// Where it is.
        place_id: PlaceId,
    },
    /// Took it out of use.
    RetireButton,
    /// Saved a place of that name.
    SavePlace(String),
    /// Switched its do-not-disturb on or off.
    SetDoNotDisturb(bool),
    /// Saved a guest of that name.
    SaveGuest(String),
    /// Checked a guest in.
    CheckIn {
        /// Who.
        guest_id: GuestId,
        /// Where.
        place_id: PlaceId,
    },
    /// Checked a guest out.
    CheckOut,
    /// Saved a member of the crew of that name.
    SavePerson(String),
    /// Put somebody on or off duty.
    SetDuty(bool),
    /// Changed how the site is run.
    SaveSettings,
    /// Called that colleague.
    StartCall(PersonId),
    /// Answered a call.
    AnswerCall,
    /// Said no to a call.
    RejectCall,
    /// Hung up.
    EndCall,
    /// Saw that they had missed a call.
    SeeCall,
    /// Said that they don't want to be called, or do again.
    SetBusy(bool),
}

impl From<&Verb> for Deed {
    fn from(verb: &Verb) -> Self {
        Self { about: verb.subject().map(|(noun, id)| Key::new(noun, id)), act: verb.into() }
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
        let deed =
            Deed { about: Some(Key { entity_type: EntityType::Request, id: id(1) }), act: Act::HandOverRequest(id(2)) };
        assert_eq!(Deed::from(&verb), deed);
        let settings = Verb::SaveSettings { settings: crewbell_shared::site::Settings::default() };
        assert_eq!(Deed::from(&settings), Deed { about: None, act: Act::SaveSettings });
    }
}
