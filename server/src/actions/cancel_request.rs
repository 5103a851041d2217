//! Cancels a request.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Cancels a request.
#[derive(Clone, Debug)]
pub struct CancelRequest {
    /// The request.
    pub request_id: RequestId,
    /// The reason, if given.
    pub reason: Option<String>,
}

impl Action for CancelRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).cancel_request(self.request_id, self.reason.as_deref()).map(Effects::from)
    }
}
