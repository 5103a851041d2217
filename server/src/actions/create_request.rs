//! Creates a request without a button.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::request::{Kind, Priority};

use super::{Action, Moment, Steps, Wants, World};

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
    fn wants(&self, wants: &mut Wants) {
        wants.places.insert(self.place_id.0);
        wants.stays_at.insert(self.place_id.0);
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        let (service, text) = (self.service.as_deref(), self.text.as_deref());
        let case = moment.case(world);
        case.create_request(self.request_id, self.place_id, self.kind, service, self.priority, text).map(Steps::from)
    }
}
