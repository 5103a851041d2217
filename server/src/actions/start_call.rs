//! Starts a call to a colleague.

use crewbell_shared::Refusal;
use crewbell_shared::call::About;
use crewbell_shared::ids::{CallId, EndpointId, PersonId};
use crewbell_shared::protocol::{EntityType, EntityTypeName};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Starts a call to a colleague.
#[derive(Clone, Debug)]
pub struct StartCall {
    /// The new call's id.
    pub call_id: CallId,
    /// The callee.
    pub callee_id: PersonId,
    /// The subject of the call.
    pub about: Option<About>,
    /// The app instance that carries the audio.
    pub endpoint: Option<EndpointId>,
}

impl Action for StartCall {
    fn reads(&self, wants: &mut ReadSet) {
        wants.calls.insert(self.call_id.0);
        wants.people.insert(self.callee_id.0);
        wants.calls_of.insert(self.callee_id.0);
        wants.reachable.insert(self.callee_id);
        match &self.about {
            Some(About { noun: EntityTypeName::Known(EntityType::Request), id, .. }) => {
                wants.requests.insert(*id);
            }
            Some(About { noun: EntityTypeName::Known(EntityType::Place), id, .. }) => {
                wants.places.insert(*id);
            }
            // The rule allows no other entity.
            Some(About { noun: EntityTypeName::Known(_) | EntityTypeName::Foreign(_), .. }) | None => {}
        }
    }

    fn reads_of_actor(&self, actor: PersonId, wants: &mut ReadSet) {
        wants.calls_of.insert(actor.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let case = moment.case(world);
        case.start_call(self.call_id, self.callee_id, self.about.as_ref(), self.endpoint).map(Effects::from)
    }
}
