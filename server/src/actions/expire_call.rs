//! Ends a call whose ring time is over, on the server's behalf.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, Moment, Steps, Wants, World};

/// Ends a call whose ring time is over, on the server's behalf.
#[derive(Clone, Debug)]
pub struct ExpireCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for ExpireCall {
    fn wants(&self, wants: &mut Wants) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).expire_call(self.call_id).map(Steps::from)
    }
}
