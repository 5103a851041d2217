//! Marks a missed call as seen.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Marks a missed call as seen.
#[derive(Clone, Debug)]
pub struct SeeCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for SeeCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).see_call(self.call_id).map(Effects::from)
    }
}
