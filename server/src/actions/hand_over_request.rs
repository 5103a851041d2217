//! Hands a request over to a colleague.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, RequestId};

use super::{Action, Moment, Steps, Wants, World};

/// Hands a request over to a colleague.
#[derive(Clone, Debug)]
pub struct HandOverRequest {
    /// The request.
    pub request_id: RequestId,
    /// The person who takes it over.
    pub to: PersonId,
}

impl Action for HandOverRequest {
    fn wants(&self, wants: &mut Wants) {
        wants.requests.insert(self.request_id.0);
        wants.people.insert(self.to.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).hand_over_request(self.request_id, self.to).map(Steps::from)
    }
}
