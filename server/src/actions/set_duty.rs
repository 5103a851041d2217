//! Somebody goes on or off duty.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::{Person, Right};

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
        let own = moment.actor.person().is_some_and(|person| person.id == self.person_id);
        moment.actor.need(if own { Right::AnswerRequests } else { Right::TakeOverRequests })?;
        let before = world.person(self.person_id)?;
        if before.on_duty == self.on_duty {
            return Ok(Steps::none());
        }
        let kind = if self.on_duty { "person_on_duty" } else { "person_off_duty" };
        Ok(Steps::change(Person { on_duty: self.on_duty, ..before.clone() }, kind))
    }
}
