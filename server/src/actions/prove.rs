//! Probe write: shows whether a site's writer can write, after a failure.

use crewbell_shared::Refusal;

use super::{Action, Moment, Step, Steps, Wants, World};

/// Writes to the site's row and changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Prove;

impl Action for Prove {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(Steps::none().and(Step::Proof))
    }
}
