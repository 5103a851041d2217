//! Opens a session for a person whose secret was right.

use crewbell_shared::protocol::Audience;
use crewbell_shared::rules::Lookup;
use crewbell_shared::{Code, Refusal};
use serde_json::json;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::sessions::Session;

/// Opens a session on a device. It replaces a session of the same person on the same device.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The new session.
    pub session: Session,
    /// SHA-256 of its token.
    pub token_hash: Vec<u8>,
}

impl Action for SignIn {
    fn reads(&self, reads: &mut ReadSet) {
        reads.entity(self.session.person_id);
        reads.sessions_of.insert(self.session.person_id);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let person = unit.get(self.session.person_id).ok_or_else(|| Refusal::not_found("person"))?;
        crewbell_shared::person::Actor::Person(person.clone()).need(crewbell_shared::person::Right::AnswerRequests)?;
        let replaced = unit
            .sessions
            .iter()
            .filter(|session| session.person_id == person.id && session.device_id == self.session.device_id);
        let replaced: Vec<_> = replaced.map(|session| session.id).collect();
        let payload = json!({
            "session_id": self.session.id, "person_id": person.id, "name": person.name,
            "device": self.session.device_name, "replaced": replaced,
        });
        let session = Session { created_at: ctx.at, ..self.session.clone() };
        Ok(Effects::none()
            .and(Effect::EndSessions(replaced))
            .and(Effect::OpenSession(session, self.token_hash.clone()))
            .and(Effect::Tell { category: "people", kind: "person_signed_in", payload, audience: Audience::leads() }))
    }
}

/// Opens a session by a secret that was verified against a hash. Verifying takes a while, outside the writer, so a
/// secret that was changed meanwhile is refused.
#[derive(Clone, Debug)]
pub struct SignInWithSecret {
    /// The sign-in.
    pub sign_in: SignIn,
    /// The hash against which the secret was verified.
    pub proof: String,
}

impl Action for SignInWithSecret {
    fn reads(&self, reads: &mut ReadSet) {
        self.sign_in.reads(reads);
        reads.secrets_of.insert(self.sign_in.session.person_id.0);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        if unit.secret_of(self.sign_in.session.person_id) != Some(&self.proof) {
            return Err(Refusal::new(Code::BadCredentials, "The PIN or password was changed meanwhile."));
        }
        self.sign_in.decide(unit, ctx)
    }
}
