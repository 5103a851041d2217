//! Accepts a request; the first person to do so has it.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Accepts a request; the first person to do so has it.
#[derive(Clone, Debug)]
pub struct AcceptRequest {
    /// The request.
    pub request_id: RequestId,
}

impl Action for AcceptRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).accept_request(self.request_id).map(Effects::from)
    }
}
