//! Ends a call whose ring time is over, on the server's behalf.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Ends a call whose ring time is over, on the server's behalf.
#[derive(Clone, Debug)]
pub struct ExpireCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for ExpireCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).expire_call(self.call_id).map(Effects::from)
    }
}
