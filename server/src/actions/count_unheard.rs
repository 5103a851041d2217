//! Counts device messages that are no press, for the administrator to inspect.

use crewbell_shared::Refusal;

use super::{Action, Moment, Step, Steps, Wants, World};
use crate::db::unheard::Unheard;

/// Adds to the counts of unrecognised messages.
#[derive(Clone, Debug)]
pub struct CountUnheard(pub Vec<Unheard>);

impl Action for CountUnheard {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(self.0.iter().cloned().map(Step::Unheard).fold(Steps::none(), Steps::and))
    }
}
