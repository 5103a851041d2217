//! Creates or changes a member of the crew.

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::{Right, Role, allows};
use crewbell_shared::request::{Request, RequestState};

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Creates or changes a member of the crew.
#[derive(Clone, Debug)]
pub struct SavePerson {
    /// The person's id.
    pub person_id: PersonId,
    /// The person's name, for signing in.
    pub name: String,
    /// The person's role.
    pub role: Role,
    /// Whether the person may sign in.
    pub active: bool,
}

impl Action for SavePerson {
    fn reads(&self, wants: &mut ReadSet) {
        wants.people.insert(self.person_id.0);
        wants.sessions_of.insert(self.person_id);
        wants.held_by.insert(self.person_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let changes = moment.case(world).save_person(self.person_id, &self.name, self.role, self.active)?;
        // A deactivated person is signed out everywhere.
        let leaves = !self.active && !changes.is_empty();
        let ended = world.sessions.iter().filter(|session| leaves && session.person_id == self.person_id);
        let ended: Vec<_> = ended.map(|session| session.id).collect();
        // Accepted requests ring again if the person can't answer them: otherwise the guest waits for somebody who
        // won't come.
        let stays = self.active && allows(self.role, Right::AnswerRequests);
        let gone = !stays && !changes.is_empty();
        let dropped = world.held_by(self.person_id).filter(|_| gone).cloned();
        let steps = dropped.fold(Effects::from(changes), |steps, request| {
            steps.and_change(Request { state: RequestState::Open, ..request }, "request_released")
        });
        Ok(if ended.is_empty() { steps } else { steps.and(Effect::EndSessions(ended)) })
    }
}
