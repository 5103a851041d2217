//! Marks a missed call as seen.

use crewbell_shared::Refusal;
use crewbell_shared::ids::CallId;

use super::{Action, Moment, Steps, Wants, World};

/// Marks a missed call as seen.
#[derive(Clone, Debug)]
pub struct SeeCall {
    /// The call.
    pub call_id: CallId,
}

impl Action for SeeCall {
    fn wants(&self, wants: &mut Wants) {
        wants.calls.insert(self.call_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).see_call(self.call_id).map(Steps::from)
    }
}
