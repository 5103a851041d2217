//! Creates a request without a button.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::request::{Kind, Priority};

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Creates a request without a button.
#[derive(Clone, Debug)]
pub struct CreateRequest {
    /// The new request's id.
    pub request_id: RequestId,
    /// Its place.
    pub place_id: PlaceId,
    /// Its kind.
    pub kind: Kind,
    /// Its service.
    pub service: Option<String>,
    /// Its priority; derived from its kind if not given.
    pub priority: Option<Priority>,
    /// Description of what is wanted.
    pub text: Option<String>,
}

impl Action for CreateRequest {
    fn reads(&self, wants: &mut ReadSet) {
        wants.places.insert(self.place_id.0);
        wants.stays_at.insert(self.place_id.0);
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let (service, text) = (self.service.as_deref(), self.text.as_deref());
        let case = moment.case(world);
        case.create_request(self.request_id, self.place_id, self.kind, service, self.priority, text).map(Effects::from)
    }
}
