//! Somebody answers a call; the first of their devices has it.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, EndpointId};

use super::{Action, Moment, Steps, Wants, World};

/// Somebody answers a call; the first of their devices has it.
#[derive(Clone, Debug)]
pub struct AnswerCall {
    /// Which call.
    pub call_id: CallId,
    /// The run of the app that will speak.
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
