//! Sets a place's do-not-disturb, by a member of the crew.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PlaceId;

use super::{Action, Moment, Steps, Wants, World};

/// Sets a place's do-not-disturb, by a member of the crew.
#[derive(Clone, Debug)]
pub struct SetDoNotDisturb {
    /// The place.
    pub place_id: PlaceId,
    /// Whether it is on.
    pub on: bool,
}

impl Action for SetDoNotDisturb {
    fn wants(&self, wants: &mut Wants) {
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).set_do_not_disturb(self.place_id, self.on).map(Steps::from)
    }
}
