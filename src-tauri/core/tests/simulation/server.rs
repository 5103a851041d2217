//! A model of the server: the same rules, a log, and the stored outcomes. The model is always right; the network isn't.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_core::engine::{Fault, Snapshot};
use crewbell_core::screen::ConnectionError;
use crewbell_core::store::Cursor;
use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::{CallId, CommandId, EndpointId, EventId, InstanceId, PersonId, PlaceId};
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::protocol::live::FromServer;
use crewbell_shared::protocol::{ActorRef, Command, Entity, Entry, Meta, Outcome, Source};
use crewbell_shared::request::{Kind, Priority, Request, RequestState, Wish, joins_held, pressed_again};
use crewbell_shared::rules::{self, DecisionContext, Lookup, StateView};
use crewbell_shared::{Code, Refusal};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, seq::IndexedRandom};

use super::site::{Entities, crew, places};
use super::{ScheduleRng, random_id};

/// The installation that all devices signed in to, and another one.
pub const OURS: InstanceId = InstanceId(uuid::Uuid::from_u128(1));
const ANOTHER: InstanceId = InstanceId(uuid::Uuid::from_u128(2));

/// Time that an endpoint of a call may be away before the server ends the call.
const AWAY: SignedDuration = SignedDuration::from_secs(45);

#[derive(Clone, Debug)]
pub struct Server {
    instance: InstanceId,
    pub site: Entities,
    pub log: Vec<Entry>,
    /// The stored outcome of each command.
    pub outcomes: BTreeMap<CommandId, Outcome>,
    /// People whose session was revoked.
    pub revoked: BTreeSet<PersonId>,
    pub up: bool,
    /// Answered calls already noticed; and since when an endpoint of a call is away.
    ongoing: BTreeSet<CallId>,
    away: BTreeMap<CallId, Timestamp>,
}

impl Server {
    pub fn new() -> Self {
        Self {
            instance: OURS,
            site: Entities::new(),
            log: Vec::new(),
            outcomes: BTreeMap::new(),
            revoked: BTreeSet::new(),
            up: true,
            ongoing: BTreeSet::new(),
            away: BTreeMap::new(),
        }
    }

    /// Returns another installation: a new one, which accepts no token, or a copy of this one.
    pub fn another(&self, knows_nobody: bool) -> Self {
        let revoked = if knows_nobody { crew().iter().map(|person| person.id).collect() } else { self.revoked.clone() };
        Self { instance: ANOTHER, revoked, ..self.clone() }
    }

    pub fn head(&self) -> u64 {
        self.log.len() as u64
    }

    fn append(
        &mut self,
        rng: &mut ScheduleRng,
        entity: Entity,
        kind: &str,
        actor: &Actor,
        at: Timestamp,
        id: Option<CommandId>,
    ) {
        let mut payload = entity.to_payload().unwrap();
        payload["changed_fields"] = serde_json::json!([]);
        let meta = Meta {
            site: "serenity".into(),
            seq: self.head() + 1,
            event_id: random_id(rng),
            ts: at,
            actor: ActorRef::from(actor),
            source: Source::App,
            entity_type: Some(entity.entity_type().into()),
            command_id: id,
        };
        let category = entity.entity_type().category().to_owned();
        self.log.push(Entry { category, kind: kind.to_owned(), payload, meta });
        self.site.put(entity);
    }

    /// Simulates a guest's press; returns its effect, to be counted.
    pub fn press(&mut self, rng: &mut ScheduleRng, at: Timestamp) -> &'static str {
        let places = places();
        let place = places.choose(rng).unwrap();
        let button = Actor::Button { name: place.name.clone() };
        let emergency = rng.random_bool(0.1);
        if let Some(request) = self.held_at(place.id, at).filter(|_| !emergency).cloned() {
            self.append(rng, pressed_again(request, None, at).into(), "request_pressed_again", &button, at, None);
            return "pressed again";
        }
        let request = Request {
            id: random_id(rng),
            place_id: place.id,
            place_name: place.name.clone(),
            guest_id: None,
            button_id: None,
            created_by: None,
            created_at: at,
            kind: if emergency { Kind::Emergency } else { Kind::Call },
            service: None,
            priority: if emergency { Priority::Emergency } else { Priority::Normal },
            text: None,
            press_count: 1,
            last_press_id: None,
            last_press_at: Some(at),
            voice: None,
            held: None,
            notes: Vec::new(),
            state: RequestState::Open,
        };
        self.append(rng, request.into(), "request_created", &button, at, None);
        let nobody = !self.site.people().any(|person| person.on_duty);
        if emergency && nobody { "emergencies with nobody on duty" } else { "presses" }
    }

    /// Returns the accepted call request of a place that a further press joins.
    fn held_at(&self, place: PlaceId, at: Timestamp) -> Option<&Request> {
        let call = Wish { kind: Kind::Call, service: None, priority: Priority::Normal };
        let is_meant = |request: &&Request| {
            let holder = request.holder().and_then(|holder| self.site.get(holder.id));
            let hears = |holder: PersonId| self.site.is_reachable(holder);
            let joins = holder.is_some_and(|it| joins_held(request, &call, None, (it, hears(it.id)), at));
            request.place_id == place && joins
        };
        self.site.requests().find(is_meant)
    }

    /// Puts everybody off duty.
    pub fn send_all_off_duty(&mut self, rng: &mut ScheduleRng, at: Timestamp) {
        let on_duty: Vec<_> = self.site.people().filter(|person| person.on_duty).cloned().collect();
        for person in on_duty {
            self.append(rng, Person { on_duty: false, ..person }.into(), "person_updated", &Actor::System, at, None);
        }
    }

    /// Handles `POST /api/commands`.
    pub fn commands(
        &mut self,
        rng: &mut ScheduleRng,
        who: PersonId,
        commands: Vec<Command>,
        at: Timestamp,
    ) -> Result<Vec<Outcome>, Fault> {
        if !self.up {
            return Err(Fault::Away(ConnectionError::network("connection refused")));
        }
        if self.revoked.contains(&who) {
            return Err(Fault::Refused(Refusal::new(Code::NotSignedIn, "No.")));
        }
        let most = if rng.random_bool(0.05) { 1 } else { commands.len() };
        Ok(commands.into_iter().take(most).map(|command| self.command(rng, who, command, at)).collect())
    }

    fn command(&mut self, rng: &mut ScheduleRng, who: PersonId, command: Command, at: Timestamp) -> Outcome {
        if let Some(before) = self.outcomes.get(&command.id) {
            return before.clone();
        }
        let outcome = self.decide(rng, who, &command, at);
        self.outcomes.insert(command.id, outcome.clone());
        outcome
    }

    fn decide(&mut self, rng: &mut ScheduleRng, who: PersonId, command: &Command, at: Timestamp) -> Outcome {
        let id = command.id;
        let refused = |refusal| Outcome { id, seq: None, refusal: Some(refusal) };
        let before = command.depends_on.and_then(|on| self.outcomes.get(&on));
        if before.is_some_and(|before| before.refusal.is_some()) {
            return refused(Refusal::new(Code::DependsOnRefused, "It depends on a refused command."));
        }
        let actor = Actor::Person(self.site.get(who).unwrap().clone());
        match rules::decide(&command.verb, &self.site, &actor, at) {
            Err(refusal) => refused(refusal),
            Ok(changes) => {
                let changed = !changes.is_empty();
                for change in changes {
                    self.append(rng, change.entity, change.kind, &actor, at, Some(id));
                }
                Outcome { id, seq: changed.then(|| self.head()), refusal: None }
            }
        }
    }

    /// Returns the calls that ring or are ongoing.
    pub fn live_calls(&self) -> impl Iterator<Item = &Call> {
        self.site.calls().filter(|call| call.is_live())
    }

    /// Returns the ongoing calls with both endpoints.
    fn spoken(&self) -> impl Iterator<Item = (CallId, EndpointId, EndpointId)> {
        self.live_calls().filter_map(|call| Some((call.id, call.caller_endpoint?, call.callee_endpoint()?)))
    }

    /// Returns the other endpoints of an endpoint's ongoing calls.
    pub fn others_of(&self, end: EndpointId) -> Vec<(CallId, EndpointId)> {
        let other = |(id, one, other)| match end {
            _ if end == one => Some((id, other)),
            _ if end == other => Some((id, one)),
            _ => None,
        };
        self.spoken().filter_map(other).collect()
    }

    /// Returns the calls answered since the last call of this function.
    pub fn newly_ongoing(&mut self) -> Vec<(CallId, EndpointId, EndpointId)> {
        let spoken: Vec<_> = self.spoken().collect();
        let before = std::mem::replace(&mut self.ongoing, spoken.iter().map(|(id, ..)| *id).collect());
        spoken.into_iter().filter(|(id, ..)| !before.contains(id)).collect()
    }

    /// Runs the server's timers: ends calls whose ringing time is over, and ongoing calls without one of their
    /// endpoints.
    pub fn end_calls(&mut self, rng: &mut ScheduleRng, there: &BTreeSet<EndpointId>, at: Timestamp) {
        if !self.up {
            self.away.clear();
            return;
        }
        let half: BTreeSet<CallId> = self
            .spoken()
            .filter(|(_, one, other)| !there.contains(one) || !there.contains(other))
            .map(|(id, ..)| id)
            .collect();
        self.away.retain(|id, _| half.contains(id));
        for id in half {
            self.away.entry(id).or_insert(at);
        }
        let live: Vec<(CallId, bool)> =
            self.live_calls().map(|call| (call.id, call.state == CallState::Ringing)).collect();
        for (id, rings) in live {
            let gone = self.away.get(&id).is_some_and(|since| at.duration_since(*since) >= AWAY);
            let case = DecisionContext { view: &self.site, actor: &Actor::System, at };
            let changes = match (rings, gone) {
                (true, _) => case.expire_call(id),
                (false, true) => case.drop_call(id),
                (false, false) => continue,
            };
            for change in changes.unwrap() {
                self.append(rng, change.entity, change.kind, &Actor::System, at, None);
            }
        }
    }

    /// Toggles whether Tom is an active crew member.
    pub fn toggle_tom(&mut self, rng: &mut ScheduleRng, at: Timestamp) {
        let mut tom = self.site.get(crate::site::crew()[3].id).unwrap().clone();
        tom.active = !tom.active;
        self.append(rng, tom.into(), "person_updated", &Actor::System, at, None);
    }

    /// Handles `GET /api/auth/me`.
    pub fn token(&self, who: PersonId) -> Result<(), Fault> {
        if !self.up {
            return Err(Fault::Away(ConnectionError::network("connection refused")));
        }
        if self.revoked.contains(&who) { Err(Fault::Refused(Refusal::new(Code::NotSignedIn, "No."))) } else { Ok(()) }
    }

    /// Handles `GET /api/sync/snapshot`.
    pub fn snapshot(&self, who: PersonId) -> Result<Snapshot, Fault> {
        if !self.up {
            return Err(Fault::Away(ConnectionError::network("connection refused")));
        }
        if self.revoked.contains(&who) {
            return Err(Fault::Refused(Refusal::new(Code::NotSignedIn, "No.")));
        }
        let event_id = self.log.last().map(|entry| entry.meta.event_id);
        let entities = self.site.entities.values().cloned().map(std::sync::Arc::new).collect();
        Ok(Snapshot { cursor: Cursor { seq: self.head(), event_id }, entities, foreign: false })
    }

    /// Handles `hello`: returns the first frame, and whether the socket stays open.
    pub fn hello(&self, who: PersonId, cursor: Cursor, at: Timestamp) -> (FromServer, bool) {
        if self.revoked.contains(&who) {
            return (FromServer::Refused { refusal: Refusal::new(Code::NotSignedIn, "No.") }, false);
        }
        let known = cursor.seq == 0 || self.event_at(cursor.seq).is_some_and(|id| Some(id) == cursor.event_id);
        if !known {
            let refusal = Refusal::new(Code::SnapshotNeeded, "Another log.").with("restored", &true);
            return (FromServer::Refused { refusal }, false);
        }
        (
            FromServer::Welcome { head: self.head(), server_time: at, person_id: who, instance: Some(self.instance) },
            true,
        )
    }

    fn event_at(&self, seq: u64) -> Option<EventId> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.log.get(at).map(|entry| entry.meta.event_id)
    }

    /// Returns the next frame of a stream.
    pub fn entries(&self, sent: u64, most: u64) -> Option<FromServer> {
        let from = usize::try_from(sent).unwrap();
        let to = usize::try_from((sent + most).min(self.head())).unwrap();
        let entries: Vec<Entry> = self.log.get(from..to)?.to_vec();
        (!entries.is_empty()).then_some(FromServer::Entries { prev: sent, entries })
    }

    /// Restores a backup; later outcomes are forgotten.
    pub fn restore(&mut self, backup: Self) {
        let revoked = std::mem::take(&mut self.revoked);
        *self = Self { revoked, away: BTreeMap::new(), ..backup };
    }
}
