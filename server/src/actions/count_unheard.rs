//! Messages of devices that were no press are counted, for the administrator to look at.

use crewbell_shared::Refusal;

use super::{Action, Moment, Step, Steps, Wants, World};
use crate::db::unheard::Unheard;

/// Messages of one sort were counted.
#[derive(Clone, Debug)]
pub struct CountUnheard(pub Vec<Unheard>);

impl Action for CountUnheard {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(self.0.iter().cloned().map(Step::Unheard).fold(Steps::none(), Steps::and))
    }
}
