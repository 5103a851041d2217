//! Ends a call on the server's behalf: its ring time is over, or a device of it is gone.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;
use crewbell_shared::rules::DecisionContext;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Ends a call whose ring time is over.
#[derive(Clone, Debug)]
pub struct ExpireCall {
    /// The call.
    pub call_id: CallId,
}

/// Ends a call of which a device is gone.
#[derive(Clone, Debug)]
pub struct DropCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for ExpireCall {
    fn reads(&self, reads: &mut ReadSet) {
        reads.entity(self.call_id);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        DecisionContext { view: unit, actor: ctx.actor, at: ctx.at }.expire_call(self.call_id).map(Effects::from)
    }
}

impl Action for DropCall {
    fn reads(&self, reads: &mut ReadSet) {
        reads.entity(self.call_id);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        DecisionContext { view: unit, actor: ctx.actor, at: ctx.at }.drop_call(self.call_id).map(Effects::from)
    }
}
