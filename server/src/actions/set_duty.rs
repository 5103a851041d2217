//! Somebody goes on or off duty.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;

use super::{Action, Moment, Steps, Wants, World};

/// Somebody goes on or off duty.
#[derive(Clone, Debug)]
pub struct SetDuty {
    /// Who.
    pub person_id: PersonId,
    /// On or off.
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
