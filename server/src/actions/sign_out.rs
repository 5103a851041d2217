//! Ends sessions: a person signs out, or a lost tablet is locked out.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Audience;
use crewbell_shared::rules::StateView;
use serde_json::json;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Ends sessions of a person.
#[derive(Clone, Debug)]
pub struct SignOut {
    /// The person.
    pub person_id: PersonId,
    /// The session; `None` ends all.
    pub session_id: Option<SessionId>,
}

impl Action for SignOut {
    fn reads(&self, wants: &mut ReadSet) {
        wants.people.insert(self.person_id.0);
        wants.sessions_of.insert(self.person_id);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        if moment.actor.person().is_some_and(|person| person.id != self.person_id) {
            moment.actor.need(Right::EditPeople)?;
        }
        let person = world.person(self.person_id).ok_or_else(|| Refusal::not_found("person"))?;
        let meant = |id: SessionId| self.session_id.is_none_or(|session| session == id);
        let sessions = world.sessions.iter().filter(|session| session.person_id == person.id && meant(session.id));
        let ended: Vec<_> = sessions.map(|session| session.id).collect();
        if ended.is_empty() {
            return Ok(Effects::none());
        }
        let payload = json!({ "person_id": person.id, "name": person.name, "ended": ended });
        Ok(Effects::none().and(Effect::EndSessions(ended)).and(Effect::Tell {
            category: "people",
            kind: "person_signed_out",
            payload,
            audience: Audience::leads(),
        }))
    }
}
