//! Somebody says where a button is: a new one begins to ring, another moves, a retired one comes back.

use crewbell_shared::Refusal;
use crewbell_shared::button::{Button, ButtonState};
use crewbell_shared::ids::{ButtonId, PlaceId};
use crewbell_shared::person::Right;

use super::texts::name;
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
        moment.actor.need(Right::AssignButtons)?;
        let before = &world.button(self.button_id)?.button;
        let place = world.place(self.place_id)?;
        let button = Button {
            state: ButtonState::Assigned,
            place_id: Some(place.id),
            name: self.name.as_deref().map(|text| name("name", text)).transpose()?,
            ..before.clone()
        };
        Ok(if button == *before { Steps::none() } else { Steps::change(button, "button_assigned") })
    }
}
