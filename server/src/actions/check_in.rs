//! Checks a guest into a place.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{GuestId, PlaceId, StayId};

use super::{Action, Moment, Steps, Wants, World};

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
    fn wants(&self, wants: &mut Wants) {
        wants.stays.insert(self.stay_id.0);
        wants.guests.insert(self.guest_id.0);
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).check_in(self.stay_id, self.guest_id, self.place_id).map(Steps::from)
    }
}
