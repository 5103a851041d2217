//! Somebody creates or changes a member of the crew.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Role;

use super::{Action, Moment, Step, Steps, Wants, World};

/// Somebody creates or changes a member of the crew.
#[derive(Clone, Debug)]
pub struct SavePerson {
    /// The person's id.
    pub person_id: PersonId,
    /// The name they sign in with.
    pub name: String,
    /// What they do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
}

impl Action for SavePerson {
    fn wants(&self, wants: &mut Wants) {
        wants.people.insert(self.person_id.0);
        wants.sessions_of.insert(self.person_id);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        let changes = moment.case(world).save_person(self.person_id, &self.name, self.role, self.active)?;
        // Who leaves is signed out everywhere.
        let leaves = !self.active && !changes.is_empty();
        let ended = world.sessions.iter().filter(|session| leaves && session.person_id == self.person_id);
        let ended: Vec<_> = ended.map(|session| session.id).collect();
        let steps = Steps::from(changes);
        Ok(if ended.is_empty() { steps } else { steps.and(Step::EndSessions(ended)) })
    }
}
