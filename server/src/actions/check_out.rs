//! Checks a guest out.

use crewbell_shared::Refusal;
use crewbell_shared::ids::StayId;

use super::{Action, Moment, Steps, Wants, World};

/// Checks a guest out.
#[derive(Clone, Debug)]
pub struct CheckOut {
    /// The stay to end.
    pub stay_id: StayId,
}

impl Action for CheckOut {
    fn wants(&self, wants: &mut Wants) {
        wants.stays.insert(self.stay_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).check_out(self.stay_id).map(Steps::from)
    }
}
