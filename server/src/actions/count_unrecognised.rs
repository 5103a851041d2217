//! Counts device messages that are no press, for the administrator to inspect.

use crewbell_shared::Refusal;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::unrecognised::StoredMessage;

/// Adds to the counts of unrecognised messages.
#[derive(Clone, Debug)]
pub struct CountUnrecognised(pub Vec<StoredMessage>);

impl Action for CountUnrecognised {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, _: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        Ok(self.0.iter().cloned().map(Effect::Unrecognised).fold(Effects::none(), Effects::and))
    }
}
