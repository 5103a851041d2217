//! Sets whether a person is busy, and so can't be called.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Sets whether a person is busy, and so can't be called.
#[derive(Clone, Debug)]
pub struct SetBusy {
    /// The person.
    pub person_id: PersonId,
    /// Whether the person is busy.
    pub busy: bool,
}

impl Action for SetBusy {
    fn reads(&self, wants: &mut ReadSet) {
        wants.people.insert(self.person_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).set_busy(self.person_id, self.busy).map(Effects::from)
    }
}
