//! Checks a guest into a place.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{GuestId, PlaceId, StayId};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Checks a guest into a place.
#[derive(Clone, Debug)]
pub struct CheckIn {
    /// The new stay's id.
    pub stay_id: StayId,
    /// The guest.
    pub guest_id: GuestId,
    /// The place.
    pub place_id: PlaceId,
}

impl Action for CheckIn {
    fn reads(&self, wants: &mut ReadSet) {
        wants.stays.insert(self.stay_id.0);
        wants.guests.insert(self.guest_id.0);
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).check_in(self.stay_id, self.guest_id, self.place_id).map(Effects::from)
    }
}
