//! Somebody creates or changes a member of the crew.

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::{Person, Right, Role};
use crewbell_shared::{Code, Refusal};

use super::texts::name;
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
        moment.actor.need(Right::EditPeople)?;
        let own = moment.actor.person().is_some_and(|person| person.id == self.person_id);
        if own && (!self.active || self.role != Role::Admin) {
            return Err(Refusal::new(Code::NotAllowed, "You can't take your own rights away."));
        }
        let before = world.person(self.person_id).ok();
        let person = Person {
            id: self.person_id,
            name: name("name", &self.name)?,
            role: self.role,
            on_duty: self.active && before.is_some_and(|person| person.on_duty),
            active: self.active,
        };
        let steps = match before {
            None => Steps::change(person, "person_created"),
            Some(before) if *before == person => return Ok(Steps::none()),
            Some(_) => Steps::change(person, "person_changed"),
        };
        let ended: Vec<_> = world.sessions.iter().filter(|session| session.person_id == self.person_id).collect();
        Ok(if self.active || ended.is_empty() {
            steps
        } else {
            steps.and(Step::EndSessions(ended.iter().map(|session| session.id).collect()))
        })
    }
}
