//! Somebody takes a button out of use: its presses are recorded and don't ring.

use crewbell_shared::Refusal;
use crewbell_shared::button::{Button, ButtonState};
use crewbell_shared::ids::ButtonId;
use crewbell_shared::person::Right;

use super::{Action, Moment, Steps, Wants, World};

/// Somebody takes a button out of use.
#[derive(Clone, Debug)]
pub struct RetireButton {
    /// Which button.
    pub button_id: ButtonId,
}

impl Action for RetireButton {
    fn wants(&self, wants: &mut Wants) {
        wants.buttons.insert(self.button_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::AssignButtons)?;
        let before = &world.button(self.button_id)?.button;
        if before.state == ButtonState::Retired {
            return Ok(Steps::none());
        }
        let button = Button { state: ButtonState::Retired, ..before.clone() };
        Ok(Steps::change(button, "button_retired"))
    }
}
