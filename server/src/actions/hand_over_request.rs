//! Hands a request over to a colleague.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, RequestId};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Hands a request over to a colleague.
#[derive(Clone, Debug)]
pub struct HandOverRequest {
    /// The request.
    pub request_id: RequestId,
    /// The person who takes it over.
    pub to: PersonId,
}

impl Action for HandOverRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.requests.insert(self.request_id.0);
        wants.people.insert(self.to.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).hand_over_request(self.request_id, self.to).map(Effects::from)
    }
}
