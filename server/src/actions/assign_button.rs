//! Somebody says where a button is: a new one begins to ring, another moves, a retired one comes back.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{ButtonId, PlaceId};

use super::{Action, Moment, Steps, Wants, World};

/// Somebody says where a button is.
#[derive(Clone, Debug)]
pub struct AssignButton {
    /// Which button.
    pub button_id: ButtonId,
    /// Where it is.
    pub place_id: PlaceId,
    /// Its name, where the place alone doesn't tell.
    pub name: Option<String>,
}

impl Action for AssignButton {
    fn wants(&self, wants: &mut Wants) {
        wants.buttons.insert(self.button_id.0);
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).assign_button(self.button_id, self.place_id, self.name.as_deref()).map(Steps::from)
    }
}
