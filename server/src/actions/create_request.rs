//! Somebody asks for something without a button.

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::person::Right;
use crewbell_shared::request::{Kind, MAX_TEXT, Priority, Request, State};

use super::texts::{name, words};
use super::{Action, Moment, Steps, Wants, World};

/// Somebody asks for something without a button.
#[derive(Clone, Debug)]
pub struct CreateRequest {
    /// The new request's id.
    pub request_id: RequestId,
    /// Where.
    pub place_id: PlaceId,
    /// What sort.
    pub kind: Kind,
    /// Which service.
    pub service: Option<String>,
    /// How much it matters; by its kind when not given.
    pub priority: Option<Priority>,
    /// What is wanted.
    pub text: Option<String>,
}

impl Action for CreateRequest {
    fn wants(&self, wants: &mut Wants) {
        wants.places.insert(self.place_id.0);
        wants.stays_at.insert(self.place_id.0);
        wants.requests.insert(self.request_id.0);
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::CreateRequests)?;
        if world.request(self.request_id).is_ok() {
            return Err(Refusal::invalid("request_id", "There is a request with that id already."));
        }
        let place = world.place(self.place_id)?;
        let service = match (self.kind, &self.service) {
            (Kind::Service, Some(code)) => Some(name("service", code)?),
            (Kind::Service, None) => return Err(Refusal::invalid("service", "Which service?")),
            (Kind::Call | Kind::Urgent | Kind::Voice | Kind::Emergency, _) => None,
        };
        let usual = service.as_ref().and_then(|code| {
            world.site.settings.services.iter().find(|service| service.code == *code).map(|service| service.priority)
        });
        let by_kind = match self.kind {
            Kind::Emergency => Priority::Emergency,
            Kind::Urgent => Priority::High,
            Kind::Call | Kind::Voice | Kind::Service => usual.unwrap_or(Priority::Normal),
        };
        let text = self.text.as_deref().map(|text| words("text", text, MAX_TEXT)).transpose()?;
        let request = Request {
            id: self.request_id,
            place_id: place.id,
            place_name: place.name.clone(),
            guest_id: world.guest_in(place.id),
            button_id: None,
            created_by: moment.actor.person().map(crewbell_shared::person::Person::as_ref),
            created_at: moment.at,
            kind: self.kind,
            service,
            priority: self.priority.unwrap_or(by_kind),
            text: text.filter(|text| !text.is_empty()),
            press_count: 0,
            last_press_id: None,
            last_press_at: None,
            voice: None,
            notes: Vec::new(),
            state: State::Open,
        };
        Ok(Steps::change(request, "request_created"))
    }
}
