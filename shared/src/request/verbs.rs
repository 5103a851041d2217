//! The verbs of requests and their rules: creation without a button, and the crew's work.
//!
//! The state transitions are in `decide`; here a verb's entities are looked up.

use super::{Command, Kind, MAX_TEXT, Priority, Request, RequestState, decide};
use crate::ids::{NoteId, PersonId, PlaceId, RequestId};
use crate::person::{Person, Right};
use crate::protocol::{VerbMeta, VerbSet, verbs};
use crate::rules::{Change, Decision, DecisionContext, Lookup, Query, guest_in, name, words};
use crate::{Code, Refusal};

verbs! {
    /// The operations on a request.
    pub enum RequestVerb {
        /// Creates a request without a button.
        Create = "create_request" {
            /// The new request's id, made by the client.
            request_id: RequestId,
            /// The place that the request is for.
            place_id: PlaceId,
            /// The request's kind.
            kind: Kind,
            /// The service's code, if the kind is a service.
            #[serde(default)]
            #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
            service: Option<String>,
            /// The priority; by default that of the kind or service.
            #[serde(default)]
            priority: Option<Priority>,
            /// The request's text.
            #[serde(default)]
            #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
            text: Option<String>,
        }
        /// Accepts a request. The first to do so has it; the second is told who.
        Accept = "accept_request" {
            /// The request's id.
            request_id: RequestId,
        }
        /// Releases an accepted request: it is open, and rings, again.
        Release = "release_request" {
            /// The request's id.
            request_id: RequestId,
        }
        /// Hands a request over to a colleague.
        HandOver = "hand_over_request" {
            /// The request's id.
            request_id: RequestId,
            /// The colleague.
            to: PersonId,
        }
        /// Completes a request: the guest was served.
        Complete = "complete_request" {
            /// The request's id.
            request_id: RequestId,
        }
        /// Cancels a request.
        Cancel = "cancel_request" {
            /// The request's id.
            request_id: RequestId,
            /// The reason.
            #[serde(default)]
            #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
            reason: Option<String>,
        }
        /// Adds a note to a request; also when it is closed.
        Note = "note_request" {
            /// The request's id.
            request_id: RequestId,
            /// The new note's id, made by the client.
            note_id: NoteId,
            /// The note's text.
            #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
            text: String,
        }
    }
}

impl VerbSet for RequestVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::Create { request_id, place_id, .. } => {
                VerbMeta::creating(*request_id).with(*place_id).by(Right::CreateRequests)
            }
            Self::Accept { request_id }
            | Self::Release { request_id }
            | Self::Complete { request_id }
            | Self::Cancel { request_id, .. }
            | Self::Note { request_id, .. } => VerbMeta::of(*request_id),
            Self::HandOver { request_id, to } => VerbMeta::of(*request_id).with(*to),
        }
    }

    fn queries(&self, _: Option<PersonId>) -> Vec<Query> {
        match self {
            Self::Create { place_id, .. } => vec![Query::StaysAt(*place_id)],
            Self::Accept { .. }
            | Self::Release { .. }
            | Self::HandOver { .. }
            | Self::Complete { .. }
            | Self::Cancel { .. }
            | Self::Note { .. } => Vec::new(),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::Create { request_id, place_id, kind, service, priority, text } => {
                ctx.create_request(*request_id, *place_id, *kind, service.as_deref(), *priority, text.as_deref())
            }
            Self::Accept { request_id } => ctx.on_request(*request_id, Command::Accept),
            Self::Release { request_id } => ctx.on_request(*request_id, Command::Release),
            Self::HandOver { request_id, to } => {
                let to = ctx.known(*to)?.clone();
                ctx.on_request(*request_id, Command::HandOver { to })
            }
            Self::Complete { request_id } => ctx.on_request(*request_id, Command::Complete),
            Self::Cancel { request_id, reason } => {
                ctx.on_request(*request_id, Command::Cancel { reason: reason.clone() })
            }
            Self::Note { request_id, note_id, text } => {
                ctx.on_request(*request_id, Command::Note { id: *note_id, text: text.clone() })
            }
        }
    }
}

impl DecisionContext<'_> {
    /// Creates a request without a button.
    fn create_request(
        &self,
        request_id: RequestId,
        place_id: PlaceId,
        kind: Kind,
        service: Option<&str>,
        priority: Option<Priority>,
        text: Option<&str>,
    ) -> Decision {
        if self.view.get(request_id).is_some() {
            return Err(Refusal::invalid("request_id", "There is a request with that id already."));
        }
        let place = self.known(place_id)?;
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
            guest_id: guest_in(self.view, place.id),
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

    fn on_request(&self, id: RequestId, command: Command) -> Decision {
        let Some(person) = self.actor.person() else {
            return Err(Refusal::new(Code::NotAllowed, "Only a person can do that."));
        };
        let request = self.known(id)?.clone();
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
        let ctx = DecisionContext { view: yacht, actor: &actor, at: at(60) };
        let mut changes = ctx.create_request(id(51), cabin().id, kind, service, None, text)?;
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
            let ctx = DecisionContext { view: yacht, actor: &actor, at: at(60) };
            ctx.create_request(id(51), cabin().id, Kind::Call, None, None, None)
        };
        let changes = create(&yacht).unwrap();
        yacht.apply(changes);
        assert_eq!(create(&yacht).unwrap_err().details["field"], "request_id");
    }

    #[test]
    fn a_colleague_nobody_knows_gets_nothing() {
        let (yacht, actor) = (Yacht::default(), by(&siri()));
        let ctx = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        let refusal = RequestVerb::HandOver { request_id: id(50), to: id(999) }.decide(&ctx).unwrap_err();
        assert_eq!((refusal.code, refusal.details["what"].as_str()), (Code::NotFound, Some("person")));
        let refusal = RequestVerb::HandOver { request_id: id(999), to: sam().id }.decide(&ctx).unwrap_err();
        assert_eq!((refusal.code, refusal.details["what"].as_str()), (Code::NotFound, Some("request")));
    }
}
