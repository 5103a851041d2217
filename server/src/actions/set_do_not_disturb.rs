//! Sets a place's do-not-disturb, by a member of the crew.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Sets a place's do-not-disturb, by a member of the crew.
#[derive(Clone, Debug)]
pub struct SetDoNotDisturb {
    /// The place.
    pub place_id: PlaceId,
    /// Whether it is on.
    pub on: bool,
}

impl Action for SetDoNotDisturb {
    fn reads(&self, wants: &mut ReadSet) {
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).set_do_not_disturb(self.place_id, self.on).map(Effects::from)
    }
}
