//! Rejects a ringing call.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, Moment, Steps, Wants, World};

/// Rejects a ringing call.
#[derive(Clone, Debug)]
pub struct RejectCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for RejectCall {
    fn wants(&self, wants: &mut Wants) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).reject_call(self.call_id).map(Steps::from)
    }
}
