//! Somebody doesn't want to be called, or does again.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;

use super::{Action, Moment, Steps, Wants, World};

/// Somebody doesn't want to be called, or does again.
#[derive(Clone, Debug)]
pub struct SetBusy {
    /// Who.
    pub person_id: PersonId,
    /// Busy or not.
    pub busy: bool,
}

impl Action for SetBusy {
    fn wants(&self, wants: &mut Wants) {
        wants.people.insert(self.person_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).set_busy(self.person_id, self.busy).map(Steps::from)
    }
}
