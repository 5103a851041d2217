//! Releases an accepted request: it is open, and rings, again.

use crewbell_shared::Refusal;
use crewbell_shared::ids::RequestId;

use super::{Action, Moment, Steps, Wants, World};

/// Releases an accepted request: it is open, and rings, again.
#[derive(Clone, Debug)]
pub struct ReleaseRequest {
    /// The request.
    pub request_id: RequestId,
}

impl Action for ReleaseRequest {
    fn wants(&self, wants: &mut Wants) {
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).release_request(self.request_id).map(Steps::from)
    }
}
