//! Secrets are set: what people, buttons and new buttons sign in with. Only their hashes get here.

use crewbell_shared::Refusal;
use crewbell_shared::button::Button;
use crewbell_shared::ids::{ButtonId, PersonId};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Audience;
use crewbell_shared::rules::Sight;
use serde_json::json;

use super::{Action, Moment, Step, Steps, Wants, World};

/// A person's PIN or password is set; all their sessions end.
#[derive(Clone, Debug)]
pub struct SetPersonSecret {
    /// Whose.
    pub person_id: PersonId,
    /// Its argon2id hash, in the PHC string format.
    pub hash: String,
}

impl Action for SetPersonSecret {
    fn wants(&self, wants: &mut Wants) {
        wants.people.insert(self.person_id.0);
        wants.sessions_of.insert(self.person_id);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        if moment.actor.person().is_none_or(|person| person.id != self.person_id) {
            moment.actor.need(Right::EditPeople)?;
        }
        let person = world.person(self.person_id).ok_or_else(|| Refusal::not_found("person"))?;
        let sessions = world.sessions.iter().filter(|session| session.person_id == person.id);
        let ended: Vec<_> = sessions.map(|session| session.id).collect();
        let payload = json!({ "person_id": person.id, "name": person.name, "ended": ended });
        Ok(Steps::none()
            .and(Step::PersonSecret(person.id, self.hash.clone()))
            .and(Step::EndSessions(ended))
            .and(Step::Tell { category: "people", kind: "person_secret_set", payload, audience: Audience::leads() }))
    }
}

/// A button gets credentials of its own, or goes back to the join code.
#[derive(Clone, Debug)]
pub struct SetButtonSecret {
    /// Which button.
    pub button_id: ButtonId,
    /// SHA-256 of the password; none takes its own credentials away.
    pub hash: Option<Vec<u8>>,
}

impl Action for SetButtonSecret {
    fn wants(&self, wants: &mut Wants) {
        wants.buttons.insert(self.button_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::AssignButtons)?;
        let before = world.button(self.button_id).ok_or_else(|| Refusal::not_found("button"))?;
        let button = Button { has_credentials: self.hash.is_some(), ..before.clone() };
        let secret = Step::ButtonSecret(Box::new(button.clone()), self.hash.clone());
        Ok(Steps::change(button, "button_credentials_set").and(secret))
    }
}

/// The site's join code is set: what new buttons and gateways sign in with.
#[derive(Clone, Debug)]
pub struct SetJoinCode {
    /// SHA-256 of the code; none lets nobody join.
    pub hash: Option<Vec<u8>>,
}

impl Action for SetJoinCode {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::EditSite)?;
        let payload = json!({ "site_id": world.site.id, "set": self.hash.is_some() });
        Ok(Steps::none().and(Step::JoinCode(self.hash.clone())).and(Step::Tell {
            category: "site",
            kind: "join_code_set",
            payload,
            audience: Audience::leads(),
        }))
    }
}
