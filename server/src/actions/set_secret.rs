//! Sets the secrets with which people, buttons and new buttons sign in. Only their hashes arrive here.

use crewbell_shared::button::Button;
use crewbell_shared::ids::{ButtonId, PersonId};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Audience;
use crewbell_shared::rules::Lookup;
use crewbell_shared::{Code, Refusal};
use serde_json::json;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Sets another person's PIN or password; all sessions of that person end. A person's own requires the current one:
/// [`ChangeOwnSecret`].
#[derive(Clone, Debug)]
pub struct SetPersonSecret {
    /// The person.
    pub person_id: PersonId,
    /// The secret's argon2id hash, in the PHC string format.
    pub hash: String,
}

impl Action for SetPersonSecret {
    fn reads(&self, reads: &mut ReadSet) {
        reads.entity(self.person_id);
        reads.sessions_of.insert(self.person_id);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        if ctx.actor.person().is_some_and(|person| person.id == self.person_id) {
            return Err(another_one());
        }
        ctx.actor.need(Right::EditPeople)?;
        set(unit, self.person_id, &self.hash)
    }
}

/// Replaces a person's own PIN or password, given the current one; all sessions of that person end.
#[derive(Clone, Debug)]
pub struct ChangeOwnSecret {
    /// The hash against which the current secret was verified; `None` if there is none yet.
    pub proof: Option<String>,
    /// The hash of the new secret.
    pub hash: String,
}

impl Action for ChangeOwnSecret {
    fn reads(&self, _: &mut ReadSet) {}

    fn reads_of_actor(&self, actor: PersonId, reads: &mut ReadSet) {
        reads.sessions_of.insert(actor);
        reads.secrets_of.insert(actor.0);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        ctx.actor.need(Right::AnswerRequests)?;
        let person = ctx.actor.person().ok_or_else(|| Refusal::not_found("person"))?;
        // The current secret may have been changed while it was verified.
        if unit.secret_of(person.id) != self.proof.as_ref() {
            return Err(another_one());
        }
        set(unit, person.id, &self.hash)
    }
}

fn another_one() -> Refusal {
    Refusal::new(Code::WrongSecret, "One's own PIN or password is changed with the present one.")
}

fn set(unit: &UnitOfWork, person_id: PersonId, hash: &str) -> Result<Effects, Refusal> {
    let person = unit.get(person_id).ok_or_else(|| Refusal::not_found("person"))?;
    let sessions = unit.sessions.iter().filter(|session| session.person_id == person.id);
    let ended: Vec<_> = sessions.map(|session| session.id).collect();
    let payload = json!({ "person_id": person.id, "name": person.name, "ended": ended });
    Ok(Effects::none()
        .and(Effect::PersonSecret(person.id, hash.to_owned()))
        .and(Effect::EndSessions(ended))
        .and(Effect::Tell { category: "people", kind: "person_secret_set", payload, audience: Audience::leads() }))
}

/// Sets a button's own credentials, or removes them, so that it uses the join code again.
#[derive(Clone, Debug)]
pub struct SetButtonSecret {
    /// The button.
    pub button_id: ButtonId,
    /// SHA-256 of the password; `None` removes the button's own credentials.
    pub hash: Option<Vec<u8>>,
}

impl Action for SetButtonSecret {
    fn reads(&self, reads: &mut ReadSet) {
        reads.entity(self.button_id);
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        ctx.actor.need(Right::AssignButtons)?;
        let before = unit.get(self.button_id).ok_or_else(|| Refusal::not_found("button"))?;
        let button = Button { has_credentials: self.hash.is_some(), ..before.clone() };
        let secret = Effect::ButtonSecret(Box::new(button.clone()), self.hash.clone());
        Ok(Effects::change(button, "button_credentials_set").and(secret))
    }
}

/// Sets the site's join code, with which new buttons and gateways sign in.
#[derive(Clone, Debug)]
pub struct SetJoinCode {
    /// SHA-256 of the code; `None` disables joining.
    pub hash: Option<Vec<u8>>,
}

impl Action for SetJoinCode {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        ctx.actor.need(Right::EditSite)?;
        let payload = json!({ "site_id": unit.site.id, "set": self.hash.is_some() });
        Ok(Effects::none().and(Effect::JoinCode(self.hash.clone())).and(Effect::Tell {
            category: "site",
            kind: "join_code_set",
            payload,
            audience: Audience::leads(),
        }))
    }
}
