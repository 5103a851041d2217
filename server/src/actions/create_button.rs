//! Somebody makes a button known before its first press.

use crewbell_shared::button::{Button, ButtonState, Health};
use crewbell_shared::ids::{ButtonId, PlaceId};
use crewbell_shared::person::Right;
use crewbell_shared::{Code, Refusal};

use super::texts::name;
use super::{Action, Moment, Steps, Wants, World};

/// Somebody makes a button known before its first press.
#[derive(Clone, Debug)]
pub struct CreateButton {
    /// The new button's id.
    pub button_id: ButtonId,
    /// Its id on the wire.
    pub device: String,
    /// Where it is.
    pub place_id: PlaceId,
    /// Its name, where the place alone doesn't tell.
    pub name: Option<String>,
}

impl Action for CreateButton {
    fn wants(&self, wants: &mut Wants) {
        wants.buttons.insert(self.button_id.0);
        wants.devices.insert(self.device.clone());
        wants.places.insert(self.place_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::AssignButtons)?;
        if world.button(self.button_id).is_ok() || world.device(&self.device).is_some() {
            return Err(Refusal::new(Code::NameTaken, "There is a button of that name already."));
        }
        if self.device.is_empty() || self.device.len() > 64 || self.device.chars().any(char::is_control) {
            return Err(Refusal::invalid("device", "1 to 64 bytes, as in the topic."));
        }
        let button = Button {
            id: self.button_id,
            device: self.device.clone(),
            name: self.name.as_deref().map(|text| name("name", text)).transpose()?,
            state: ButtonState::Assigned,
            place_id: Some(world.place(self.place_id)?.id),
            has_credentials: false,
            health: Health::default(),
        };
        Ok(Steps::change(button, "button_created"))
    }
}
