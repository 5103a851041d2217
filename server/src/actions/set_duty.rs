//! Sets whether a person is on duty.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;

use super::{Action, Moment, Steps, Wants, World};

/// Sets whether a person is on duty.
#[derive(Clone, Debug)]
pub struct SetDuty {
    /// The person.
    pub person_id: PersonId,
    /// Whether the person is on duty.
    pub on_duty: bool,
}

impl Action for SetDuty {
    fn wants(&self, wants: &mut Wants) {
        wants.people.insert(self.person_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.case(world).set_duty(self.person_id, self.on_duty).map(Steps::from)
    }
}
