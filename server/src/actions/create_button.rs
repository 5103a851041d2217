//! Registers a button before its first press.

use crewbell_shared::Refusal;
use crewbell_shared::button::device_id;
use crewbell_shared::ids::{ButtonId, PlaceId};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Registers a button before its first press.
#[derive(Clone, Debug)]
pub struct CreateButton {
    /// The new button's id.
    pub button_id: ButtonId,
    /// Its device id.
    pub device: String,
    /// Its place.
    pub place_id: PlaceId,
    /// Its name, if its place alone doesn't identify it.
    pub name: Option<String>,
}

impl Action for CreateButton {
    fn reads(&self, wants: &mut ReadSet) {
        wants.buttons.insert(self.button_id.0);
        wants.devices.insert(device_id(&self.device));
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment
            .case(world)
            .create_button(self.button_id, &self.device, self.place_id, self.name.as_deref())
            .map(Effects::from)
    }
}
