//! Checks a guest out.

use crewbell_shared::Refusal;
use crewbell_shared::ids::StayId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Checks a guest out.
#[derive(Clone, Debug)]
pub struct CheckOut {
    /// The stay to end.
    pub stay_id: StayId,
}

impl Action for CheckOut {
    fn reads(&self, wants: &mut ReadSet) {
        wants.stays.insert(self.stay_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).check_out(self.stay_id).map(Effects::from)
    }
}
