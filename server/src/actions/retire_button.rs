//! Retires a button: its presses are recorded and don't ring.

use crewbell_shared::Refusal;
use crewbell_shared::ids::ButtonId;

use super::{Action, Moment, Steps, Wants, World};

/// Retires a button.
#[derive(Clone, Debug)]
pub struct RetireButton {
    /// The button.
    pub button_id: ButtonId,
}

impl Action for RetireButton {
    fn wants(&self, wants: &mut Wants) {
        wants.buttons.insert(self.button_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).retire_button(self.button_id).map(Steps::from)
    }
}
