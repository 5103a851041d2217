//! Rejects a ringing call.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Rejects a ringing call.
#[derive(Clone, Debug)]
pub struct RejectCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for RejectCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).reject_call(self.call_id).map(Effects::from)
    }
}
