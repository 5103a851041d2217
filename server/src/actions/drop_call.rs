//! The server ends a call of which a device is gone.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, Moment, Steps, Wants, World};

/// The server ends a call of which a device is gone.
#[derive(Clone, Debug)]
pub struct DropCall {
    /// Which call.
    pub call_id: CallId,
}

impl Action for DropCall {
    fn wants(&self, wants: &mut Wants) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).drop_call(self.call_id).map(Steps::from)
    }
}
