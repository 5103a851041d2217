//! Somebody of the crew switches a place's do-not-disturb.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;
use crewbell_shared::person::Right;
use crewbell_shared::place::Place;

use super::{Action, Moment, Steps, Wants, World};

/// Somebody of the crew switches a place's do-not-disturb.
#[derive(Clone, Debug)]
pub struct SetDoNotDisturb {
    /// Which place.
    pub place_id: PlaceId,
    /// On or off.
    pub on: bool,
}

impl Action for SetDoNotDisturb {
    fn wants(&self, wants: &mut Wants) {
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::AnswerRequests)?;
        let before = world.place(self.place_id)?;
        if before.do_not_disturb == self.on {
            return Ok(Steps::none());
        }
        let kind = if self.on { "do_not_disturb_set" } else { "do_not_disturb_cleared" };
        Ok(Steps::change(Place { do_not_disturb: self.on, ..before.clone() }, kind))
    }
}
