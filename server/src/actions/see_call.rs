//! Somebody has seen that they missed a call.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, Moment, Steps, Wants, World};

/// Somebody has seen that they missed a call.
#[derive(Clone, Debug)]
pub struct SeeCall {
    /// Which call.
    pub call_id: CallId,
}

impl Action for SeeCall {
    fn wants(&self, wants: &mut Wants) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).see_call(self.call_id).map(Steps::from)
    }
}
