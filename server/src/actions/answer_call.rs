//! Answers a call; the callee's first device to do so has it.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, EndpointId};

use super::{Action, Moment, Steps, Wants, World};

/// Answers a call; the callee's first device to do so has it.
#[derive(Clone, Debug)]
pub struct AnswerCall {
    /// The call.
    pub call_id: CallId,
    /// The app instance that carries the audio.
    pub endpoint: Option<EndpointId>,
}

impl Action for AnswerCall {
    fn wants(&self, wants: &mut Wants) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).answer_call(self.call_id, self.endpoint).map(Steps::from)
    }
}
