//! Ends sessions: a person signs out, or a lost tablet is locked out.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Audience;
use crewbell_shared::rules::Lookup;
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
    fn reads(&self, reads: &mut ReadSet) {
        reads.entity(self.person_id);
        reads.sessions_of.insert(self.person_id);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        if ctx.actor.person().is_some_and(|person| person.id != self.person_id) {
            ctx.actor.need(Right::EditPeople)?;
        }
        let person = unit.get(self.person_id).ok_or_else(|| Refusal::not_found("person"))?;
        let meant = |id: SessionId| self.session_id.is_none_or(|session| session == id);
        let sessions = unit.sessions.iter().filter(|session| session.person_id == person.id && meant(session.id));
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
