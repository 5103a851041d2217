//! Ends a call: a participant hangs up.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Ends a call: a participant hangs up.
#[derive(Clone, Debug)]
pub struct EndCall {
    /// The call.
    pub call_id: CallId,
    /// Whether the connection was lost.
    pub dropped: bool,
}

impl Action for EndCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).end_call(self.call_id, self.dropped).map(Effects::from)
    }
}
