//! Releases an accepted request: it is open, and rings, again.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Releases an accepted request: it is open, and rings, again.
#[derive(Clone, Debug)]
pub struct ReleaseRequest {
    /// The request.
    pub request_id: RequestId,
}

impl Action for ReleaseRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).release_request(self.request_id).map(Effects::from)
    }
}
