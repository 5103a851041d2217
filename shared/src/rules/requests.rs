//! The rules of requests: creation without a button, and the crew's commands.
//!
//! The state transitions are in `request::decide`; here a verb's entities are looked up.

use super::{Change, Decision, DecisionContext, name, words};
use crate::ids::{NoteId, PersonId, PlaceId, RequestId};
use crate::person::{Person, Right};
use crate::request::{Command, Kind, MAX_TEXT, Priority, Request, RequestState, decide};
use crate::{Code, Refusal};

impl DecisionContext<'_> {
    /// Creates a request without a button.
    pub fn create_request(
        &self,
        request_id: RequestId,
        place_id: PlaceId,
        kind: Kind,
        service: Option<&str>,
        priority: Option<Priority>,
        text: Option<&str>,
    ) -> Decision {
        self.actor.need(Right::CreateRequests)?;
        if self.view.request(request_id).is_some() {
            return Err(Refusal::invalid("request_id", "There is a request with that id already."));
        }
        let place = self.place(place_id)?;
        let service = match (kind, service) {
            (Kind::Service, Some(code)) => Some(name("service", code)?),
            (Kind::Service, None) => return Err(Refusal::invalid("service", "Which service?")),
            (Kind::Call | Kind::Urgent | Kind::Voice | Kind::Emergency, _) => None,
        };
        let by_kind = self.usual_priority(kind, service.as_deref());
        let text = text.map(|text| words("text", text, MAX_TEXT)).transpose()?;
        let request = Request {
            id: request_id,
            place_id: place.id,
            place_name: place.name.clone(),
            guest_id: self.view.guest_in(place.id),
            button_id: None,
            created_by: self.actor.person().map(Person::as_ref),
            created_at: self.at,
            kind,
            service,
            priority: priority.unwrap_or(by_kind),
            text: text.filter(|text| !text.is_empty()),
            press_count: 0,
            last_press_id: None,
            last_press_at: None,
            voice: None,
            held: None,
            notes: Vec::new(),
            state: RequestState::Open,
        };
        Ok(vec![Change::new(request, "request_created")])
    }

    /// Accepts a request; the first to do so has it.
    pub fn accept_request(&self, id: RequestId) -> Decision {
        self.on_request(id, Command::Accept)
    }

    /// Releases a request: it is open and rings again.
    pub fn release_request(&self, id: RequestId) -> Decision {
        self.on_request(id, Command::Release)
    }

    /// Hands a request over to a colleague.
    pub fn hand_over_request(&self, id: RequestId, to: PersonId) -> Decision {
        let to = self.person(to)?.clone();
        self.on_request(id, Command::HandOver { to })
    }

    /// Completes a request.
    pub fn complete_request(&self, id: RequestId) -> Decision {
        self.on_request(id, Command::Complete)
    }

    /// Cancels a request.
    pub fn cancel_request(&self, id: RequestId, reason: Option<&str>) -> Decision {
        self.on_request(id, Command::Cancel { reason: reason.map(str::to_owned) })
    }

    /// Adds a note to a request.
    pub fn note_request(&self, id: RequestId, note_id: NoteId, text: &str) -> Decision {
        self.on_request(id, Command::Note { id: note_id, text: text.to_owned() })
    }

    fn on_request(&self, id: RequestId, command: Command) -> Decision {
        let Some(person) = self.actor.person() else {
            return Err(Refusal::new(Code::NotAllowed, "Only a person can do that."));
        };
        let request = self.request(id)?.clone();
        let (request, change) = decide(request, command, person, self.at)?;
        Ok(change.map(|change| Change::new(request, change.entry_type())).into_iter().collect())
    }

    /// The default priority of a request.
    fn usual_priority(&self, kind: Kind, service: Option<&str>) -> Priority {
        match kind {
            Kind::Emergency => Priority::Emergency,
            Kind::Urgent => Priority::High,
            Kind::Call | Kind::Voice | Kind::Service => {
                let services = &self.view.site().settings.services;
                let usual = services.iter().find(|usual| Some(usual.code.as_str()) == service);
                usual.map_or(Priority::Normal, |usual| usual.priority)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Entity;
    use crate::testing::{Yacht, at, by, cabin, dana, gus, id, sam, siri, stay};

    fn ask(yacht: &Yacht, kind: Kind, service: Option<&str>, text: Option<&str>) -> Result<Request, Refusal> {
        let actor = by(&dana());
        let case = DecisionContext { view: yacht, actor: &actor, at: at(60) };
        let mut changes = case.create_request(id(51), cabin().id, kind, service, None, text)?;
        let change = changes.pop().unwrap();
        assert_eq!((changes.len(), change.kind), (0, "request_created"));
        let Entity::Request(request) = change.entity else { panic!("it is a request") };
        Ok(request)
    }

    #[test]
    fn a_request_is_for_the_guest_who_has_been_there_longest() {
        let later = crate::guest::Stay { id: id(71), guest_id: id(61), checked_in_at: at(20), ..stay() };
        let request = ask(&Yacht::default().with(later), Kind::Call, None, None).unwrap();
        assert_eq!(request.guest_id, Some(gus().id));
        assert_eq!((request.place_name.as_str(), request.press_count), ("Cabin 5", 0));
        assert_eq!((request.created_by, request.created_at), (Some(dana().as_ref()), at(60)));
    }

    #[test]
    fn a_priority_that_nobody_gave_is_the_kinds_or_the_services() {
        let yacht = Yacht::default();
        let priority = |kind, service| ask(&yacht, kind, service, None).unwrap().priority;
        assert_eq!(priority(Kind::Call, None), Priority::Normal);
        assert_eq!(priority(Kind::Urgent, None), Priority::High);
        assert_eq!(priority(Kind::Emergency, None), Priority::Emergency);
        assert_eq!(priority(Kind::Service, Some("lights")), Priority::Low);
        assert_eq!(priority(Kind::Service, Some("massage")), Priority::Normal);
    }

    #[test]
    fn a_service_must_be_named_and_other_kinds_have_none() {
        let yacht = Yacht::default();
        assert_eq!(ask(&yacht, Kind::Service, None, None).unwrap_err().details["field"], "service");
        assert_eq!(ask(&yacht, Kind::Call, Some("lights"), None).unwrap().service, None);
    }

    #[test]
    fn words_of_blanks_are_none() {
        assert_eq!(ask(&Yacht::default(), Kind::Call, None, Some("  ")).unwrap().text, None);
    }

    #[test]
    fn an_id_makes_one_request() {
        let mut yacht = Yacht::default();
        let actor = by(&dana());
        let create = |yacht: &Yacht| {
            let case = DecisionContext { view: yacht, actor: &actor, at: at(60) };
            case.create_request(id(51), cabin().id, Kind::Call, None, None, None)
        };
        let changes = create(&yacht).unwrap();
        yacht.apply(changes);
        assert_eq!(create(&yacht).unwrap_err().details["field"], "request_id");
    }

    #[test]
    fn a_colleague_nobody_knows_gets_nothing() {
        let (yacht, actor) = (Yacht::default(), by(&siri()));
        let case = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        let refusal = case.hand_over_request(id(50), id(999)).unwrap_err();
        assert_eq!((refusal.code, refusal.details["what"].as_str()), (Code::NotFound, Some("person")));
        let refusal = case.hand_over_request(id(999), sam().id).unwrap_err();
        assert_eq!((refusal.code, refusal.details["what"].as_str()), (Code::NotFound, Some("request")));
    }
}
