//! Ends the flapping state of a button that has fallen silent, since no further message would.

use crewbell_shared::Refusal;

use super::hear_button::{kind_of, memory_of};
use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::buttons::KnownButton;

/// Ends a button's flapping state, if its connection state has been stable for long enough.
#[derive(Clone, Debug)]
pub struct SettleButton {
    /// The button's device id.
    pub device: String,
}

impl Action for SettleButton {
    fn reads(&self, reads: &mut ReadSet) {
        reads.devices.insert(self.device.clone());
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let Some(known) = unit.known(&self.device) else { return Ok(Effects::none()) };
        let mut memory = memory_of(&known);
        let health = known.button.health.settled(&mut memory.flapping, ctx.at);
        if known.button.health.flapping_since.is_none() || health.flapping_since.is_some() {
            return Ok(Effects::none());
        }
        let kind = kind_of(&known.button.health, &health);
        let mut known = KnownButton { memory: serde_json::to_value(memory).unwrap_or_default(), ..known };
        known.button.health = health;
        Ok(Effects::none().and(Effect::Button { known: Box::new(known), kind: Some(kind) }))
    }
}
