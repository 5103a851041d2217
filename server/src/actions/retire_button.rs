//! Retires a button: its presses are recorded and don't ring.

use crewbell_shared::Refusal;
use crewbell_shared::ids::ButtonId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Retires a button.
#[derive(Clone, Debug)]
pub struct RetireButton {
    /// The button.
    pub button_id: ButtonId,
}

impl Action for RetireButton {
    fn reads(&self, wants: &mut ReadSet) {
        wants.buttons.insert(self.button_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).retire_button(self.button_id).map(Effects::from)
    }
}
