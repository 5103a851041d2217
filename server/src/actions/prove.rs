//! Probe write: shows whether a site's writer can write, after a failure.

use crewbell_shared::Refusal;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Writes to the site's row and changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Prove;

impl Action for Prove {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, _: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        Ok(Effects::none().and(Effect::Proof))
    }
}
