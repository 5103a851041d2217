//! Somebody checks a guest out.

use crewbell_shared::guest::Stay;
use crewbell_shared::ids::StayId;
use crewbell_shared::person::Right;
use crewbell_shared::place::Place;
use crewbell_shared::{Code, Refusal};

use super::{Action, Moment, Steps, Wants, World};

/// Somebody checks a guest out.
#[derive(Clone, Debug)]
pub struct CheckOut {
    /// Which stay ends.
    pub stay_id: StayId,
}

impl Action for CheckOut {
    fn wants(&self, wants: &mut Wants) {
        wants.stays.insert(self.stay_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::EditGuests)?;
        let before = world.stay(self.stay_id)?;
        if before.checked_out_at.is_some() {
            return Err(Refusal::new(Code::StayConflict, "They have checked out already.").with("stay", before));
        }
        let stay = Stay { checked_out_at: Some(moment.at), ..before.clone() };
        let steps = match world.place(stay.place_id) {
            // Who leaves wants nothing any more; the next guest must not inherit it.
            Ok(place) if place.do_not_disturb => {
                Steps::change(Place { do_not_disturb: false, ..place.clone() }, "do_not_disturb_cleared")
            }
            Ok(_) | Err(_) => Steps::none(),
        };
        Ok(steps.and_change(stay, "guest_checked_out"))
    }
}
