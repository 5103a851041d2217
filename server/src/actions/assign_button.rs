//! Assigns a button to a place: a new one begins to ring, another moves, a retired one comes back into use.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{ButtonId, PlaceId};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Assigns a button to a place.
#[derive(Clone, Debug)]
pub struct AssignButton {
    /// The button.
    pub button_id: ButtonId,
    /// Its place.
    pub place_id: PlaceId,
    /// Its name, if its place alone doesn't identify it.
    pub name: Option<String>,
}

impl Action for AssignButton {
    fn reads(&self, wants: &mut ReadSet) {
        wants.buttons.insert(self.button_id.0);
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).assign_button(self.button_id, self.place_id, self.name.as_deref()).map(Effects::from)
    }
}
