//! Somebody checks a guest into a place.

use crewbell_shared::guest::Stay;
use crewbell_shared::ids::{GuestId, PlaceId, StayId};
use crewbell_shared::person::Right;
use crewbell_shared::{Code, Refusal};

use super::{Action, Moment, Steps, Wants, World};

/// Somebody checks a guest into a place.
#[derive(Clone, Debug)]
pub struct CheckIn {
    /// The new stay's id.
    pub stay_id: StayId,
    /// Who.
    pub guest_id: GuestId,
    /// Where.
    pub place_id: PlaceId,
}

impl Action for CheckIn {
    fn wants(&self, wants: &mut Wants) {
        wants.stays.insert(self.stay_id.0);
        wants.guests.insert(self.guest_id.0);
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::EditGuests)?;
        if world.stay(self.stay_id).is_ok() {
            return Err(Refusal::new(Code::StayConflict, "There is such a stay already."));
        }
        // Whether the guest stays elsewhere is the unique key's to say (`stays_current_by_guest`).
        let stay = Stay {
            id: self.stay_id,
            guest_id: world.guest(self.guest_id)?.id,
            place_id: world.place(self.place_id)?.id,
            checked_in_at: moment.at,
            checked_out_at: None,
        };
        Ok(Steps::change(stay, "guest_checked_in"))
    }
}
