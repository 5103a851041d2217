//! Answers a call; the callee's first device to do so has it.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, EndpointId};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Answers a call; the callee's first device to do so has it.
#[derive(Clone, Debug)]
pub struct AnswerCall {
    /// The call.
    pub call_id: CallId,
    /// The app instance that carries the audio.
    pub endpoint: Option<EndpointId>,
}

impl Action for AnswerCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).answer_call(self.call_id, self.endpoint).map(Effects::from)
    }
}
