//! Ends a call of which a device is gone, on the server's behalf.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Ends a call of which a device is gone, on the server's behalf.
#[derive(Clone, Debug)]
pub struct DropCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for DropCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).drop_call(self.call_id).map(Effects::from)
    }
}
