//! Adds a note to a request.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{NoteId, RequestId};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Adds a note to a request.
#[derive(Clone, Debug)]
pub struct NoteRequest {
    /// The request.
    pub request_id: RequestId,
    /// The new note's id.
    pub note_id: NoteId,
    /// The note's text.
    pub text: String,
}

impl Action for NoteRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).note_request(self.request_id, self.note_id, &self.text).map(Effects::from)
    }
}
