//! Messages of devices that were no press are counted, for the administrator to look at.

use crewbell_shared::Refusal;

use super::{Action, Moment, Step, Steps, Wants, World};
use crate::db::unheard::Unheard;

/// Messages of one sort were counted.
#[derive(Clone, Debug)]
pub struct CountUnheard(pub Unheard);

impl Action for CountUnheard {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(Steps::none().and(Step::Unheard(self.0.clone())))
    }
}
