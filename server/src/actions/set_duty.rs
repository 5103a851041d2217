//! Sets whether a person is on duty.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Sets whether a person is on duty.
#[derive(Clone, Debug)]
pub struct SetDuty {
    /// The person.
    pub person_id: PersonId,
    /// Whether the person is on duty.
    pub on_duty: bool,
}

impl Action for SetDuty {
    fn reads(&self, wants: &mut ReadSet) {
        wants.people.insert(self.person_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        moment.case(world).set_duty(self.person_id, self.on_duty).map(Effects::from)
    }
}
