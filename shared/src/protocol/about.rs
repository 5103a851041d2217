//! The subject of a verb and the other entities that it references.
//!
//! A client's outbox derives from these which commands depend on which: a check-in on the creation of its guest, an
//! accept on the creation of its request.

use uuid::Uuid;

use super::{EntityType, Verb};

impl Verb {
    /// The entity that the verb changes; none for the site itself, which needs no id.
    pub fn subject(&self) -> Option<(EntityType, Uuid)> {
        match self {
            Self::CreateRequest { request_id, .. }
            | Self::AcceptRequest { request_id }
            | Self::ReleaseRequest { request_id }
            | Self::HandOverRequest { request_id, .. }
            | Self::CompleteRequest { request_id }
            | Self::CancelRequest { request_id, .. }
            | Self::NoteRequest { request_id, .. } => Some((EntityType::Request, request_id.0)),
            Self::AssignButton { button_id, .. }
            | Self::CreateButton { button_id, .. }
            | Self::RetireButton { button_id } => Some((EntityType::Button, button_id.0)),
            Self::SavePlace { place_id, .. } | Self::SetDoNotDisturb { place_id, .. } => {
                Some((EntityType::Place, place_id.0))
            }
            Self::SaveGuest { guest_id, .. } => Some((EntityType::Guest, guest_id.0)),
            Self::CheckIn { stay_id, .. } | Self::CheckOut { stay_id } => Some((EntityType::Stay, stay_id.0)),
            Self::SavePerson { person_id, .. } | Self::SetDuty { person_id, .. } => {
                Some((EntityType::Person, person_id.0))
            }
            Self::SetBusy { person_id, .. } => Some((EntityType::Person, person_id.0)),
            Self::StartCall { call_id, .. }
            | Self::AnswerCall { call_id, .. }
            | Self::RejectCall { call_id }
            | Self::EndCall { call_id, .. }
            | Self::SeeCall { call_id } => Some((EntityType::Call, call_id.0)),
            Self::SaveSettings { .. } => None,
        }
    }

    /// Whether the verb always creates its subject, under an id that is new. A `save_…` creates its subject only if it
    /// doesn't exist, so it returns false.
    pub fn creates(&self) -> bool {
        match self {
            Self::CreateRequest { .. } | Self::CreateButton { .. } | Self::CheckIn { .. } | Self::StartCall { .. } => {
                true
            }
            Self::AcceptRequest { .. }
            | Self::ReleaseRequest { .. }
            | Self::HandOverRequest { .. }
            | Self::CompleteRequest { .. }
            | Self::CancelRequest { .. }
            | Self::NoteRequest { .. }
            | Self::AssignButton { .. }
            | Self::RetireButton { .. }
            | Self::SavePlace { .. }
            | Self::SetDoNotDisturb { .. }
            | Self::SaveGuest { .. }
            | Self::CheckOut { .. }
            | Self::SavePerson { .. }
            | Self::SetDuty { .. }
            | Self::SaveSettings { .. }
            | Self::AnswerCall { .. }
            | Self::RejectCall { .. }
            | Self::EndCall { .. }
            | Self::SeeCall { .. }
            | Self::SetBusy { .. } => false,
        }
    }

    /// The entities that the verb references beside its subject. Each must exist for the verb to succeed.
    pub fn references(&self) -> Vec<(EntityType, Uuid)> {
        match self {
            Self::CreateRequest { place_id, .. }
            | Self::AssignButton { place_id, .. }
            | Self::CreateButton { place_id, .. } => vec![(EntityType::Place, place_id.0)],
            Self::SavePlace { parent_id, .. } => parent_id.iter().map(|id| (EntityType::Place, id.0)).collect(),
            Self::HandOverRequest { to, .. } => vec![(EntityType::Person, to.0)],
            Self::CheckIn { guest_id, place_id, .. } => {
                vec![(EntityType::Guest, guest_id.0), (EntityType::Place, place_id.0)]
            }
            Self::StartCall { callee_id, about, .. } => {
                let about = about.as_ref().and_then(|about| Some((about.noun.known()?, about.id)));
                std::iter::once((EntityType::Person, callee_id.0)).chain(about).collect()
            }
            Self::AcceptRequest { .. }
            | Self::ReleaseRequest { .. }
            | Self::CompleteRequest { .. }
            | Self::CancelRequest { .. }
            | Self::NoteRequest { .. }
            | Self::RetireButton { .. }
            | Self::SetDoNotDisturb { .. }
            | Self::SaveGuest { .. }
            | Self::CheckOut { .. }
            | Self::SavePerson { .. }
            | Self::SetDuty { .. }
            | Self::SaveSettings { .. }
            | Self::AnswerCall { .. }
            | Self::RejectCall { .. }
            | Self::EndCall { .. }
            | Self::SeeCall { .. }
            | Self::SetBusy { .. } => Vec::new(),
        }
    }

    /// Whether the verb is valid only at the moment, so that it can't be queued. A device without a connection refuses
    /// it (`no_connection`) and never stores it.
    pub fn is_live(&self) -> bool {
        match self {
            Self::StartCall { .. } | Self::AnswerCall { .. } => true,
            Self::CreateRequest { .. }
            | Self::AcceptRequest { .. }
            | Self::ReleaseRequest { .. }
            | Self::HandOverRequest { .. }
            | Self::CompleteRequest { .. }
            | Self::CancelRequest { .. }
            | Self::NoteRequest { .. }
            | Self::AssignButton { .. }
            | Self::CreateButton { .. }
            | Self::RetireButton { .. }
            | Self::SavePlace { .. }
            | Self::SetDoNotDisturb { .. }
            | Self::SaveGuest { .. }
            | Self::CheckIn { .. }
            | Self::CheckOut { .. }
            | Self::SavePerson { .. }
            | Self::SetDuty { .. }
            | Self::SaveSettings { .. }
            | Self::RejectCall { .. }
            | Self::EndCall { .. }
            | Self::SeeCall { .. }
            | Self::SetBusy { .. } => false,
        }
    }
}
