//! Completes a request: the guest was served.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, Moment, Steps, Wants, World};

/// Completes a request: the guest was served.
#[derive(Clone, Debug)]
pub struct CompleteRequest {
    /// The request.
    pub request_id: RequestId,
}

impl Action for CompleteRequest {
    fn wants(&self, wants: &mut Wants) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).complete_request(self.request_id).map(Steps::from)
    }
}
