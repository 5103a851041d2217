//! Completes a request: the guest was served.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Completes a request: the guest was served.
#[derive(Clone, Debug)]
pub struct CompleteRequest {
    /// The request.
    pub request_id: RequestId,
}

impl Action for CompleteRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).complete_request(self.request_id).map(Effects::from)
    }
}
