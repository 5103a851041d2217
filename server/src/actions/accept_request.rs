//! Accepts a request; the first person to do so has it.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, Moment, Steps, Wants, World};

/// Accepts a request; the first person to do so has it.
#[derive(Clone, Debug)]
pub struct AcceptRequest {
    /// The request.
    pub request_id: RequestId,
}

impl Action for AcceptRequest {
    fn wants(&self, wants: &mut Wants) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).accept_request(self.request_id).map(Steps::from)
    }
}
