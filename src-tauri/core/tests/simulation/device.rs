//! A simulated device: an engine, a disk, the screen's content, and the person's commands.

use crewbell_shared::call::CallVerb;
use std::collections::{BTreeMap, BTreeSet};

use crewbell_core::engine::{Engine, Input, Now, Output, Step};
use crewbell_core::screen::{Alert, CoreEvent, Media, Shown, Task, ViewState};
use crewbell_core::store::{EntityKey, Image, Session, Write};
use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::{CallId, CommandId, EndpointId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::{Command, Entity, EntityType, Verb};
use crewbell_shared::request::Request;
use crewbell_shared::request::RequestState::Open;
use rand::RngExt;

use super::sabotage::Sabotage;
use super::server::OURS;
use super::world::{as_call, as_request};
use super::{ScheduleRng, random_id};

/// The person's own decision on a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The device accepted the command.
    Kept,
    /// The person discarded the command, or retried it under another id.
    GivenUp,
}

/// The kind of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Stored until the server has answered.
    Lasting,
    /// Effective only at once: calling, answering.
    Live,
    /// Hanging up.
    HangUp,
    /// The device's own report of a dropped call.
    BrokenOff,
}

impl Sort {
    pub fn of(verb: &Verb) -> Self {
        match verb {
            _ if verb.is_live() => Self::Live,
            Verb::Call(CallVerb::End { .. }) => Self::HangUp,
            _ => Self::Lasting,
        }
    }
}

/// A command of the person.
#[derive(Clone, Copy, Debug)]
pub struct Did {
    pub id: CommandId,
    pub fate: Fate,
    pub sort: Sort,
    /// The life of the device, and its socket, at the time of the command.
    pub life: u64,
    pub socket: u64,
}

/// A simulated device.
#[derive(Debug)]
pub struct Device {
    pub person: Person,
    pub number: u128,
    pub engine: Engine,
    /// The data that survives a crash.
    pub disk: Image,
    /// Writes that the failing disk hasn't taken, in order.
    backlog: Vec<Write>,
    pub disk_fails: bool,
    /// Counter of crashes; messages to an earlier life are lost.
    pub life: u64,
    /// Whether the device has no network.
    pub cut: bool,
    /// Offset of the device's clock, in milliseconds.
    pub skew: i64,
    /// The number of the pending request; responses to earlier ones are ignored.
    pub post: Option<u64>,
    pub fetch: Option<u64>,
    pub ask: Option<u64>,
    /// Whether the site was wiped without a local sign-in or sign-out.
    pub was_wiped: bool,
    /// The person's commands, in order.
    pub did: Vec<Did>,
    /// Commands that the device reported as refused.
    pub refused: BTreeSet<CommandId>,
    /// The screen's content.
    pub screen: BTreeMap<EntityKey, Shown>,
    pub rings: Vec<Alert>,
    /// The engine's last output of alerts.
    alerts: Vec<Alert>,
    /// This life of the device as a call endpoint.
    pub endpoint: EndpointId,
    /// The number of the last socket, and of the one over which another installation answered.
    pub socket: u64,
    pub astray: Option<u64>,
    /// The device's call task, and the engine's last output of it.
    pub task: Task,
    told: Task,
    /// The call whose audio is checked, when the other endpoint was last heard, and the last reported media state.
    pub listens: Option<CallId>,
    pub heard_at: Option<u64>,
    pub voice: Option<Media>,
    /// Whether the clock was set since the last server time arrived.
    pub clock_was_set: bool,
    /// Calls that may have begun to ring since.
    pub mistimed: BTreeSet<CallId>,
    sent_before: BTreeSet<CommandId>,
}

/// The answer to the caller of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The command is stored.
    Kept(CommandId),
    /// There was nothing to store.
    Nothing,
    /// The input was refused.
    Refused,
    /// The device died before it could answer.
    None,
}

/// The result of an input.
#[derive(Debug)]
pub enum Went {
    /// The outputs, and the answer to the caller.
    On(Vec<Output>, Answer),
    /// The device was killed in between.
    Killed,
}

impl Device {
    pub fn new(person: Person, number: u128) -> Self {
        Self {
            person,
            number,
            engine: Engine::default().with_endpoint(endpoint(number, 0)),
            disk: Image::default(),
            backlog: Vec::new(),
            disk_fails: false,
            life: 0,
            cut: false,
            skew: 0,
            post: None,
            fetch: None,
            ask: None,
            was_wiped: false,
            did: Vec::new(),
            screen: BTreeMap::new(),
            rings: Vec::new(),
            alerts: Vec::new(),
            refused: BTreeSet::new(),
            endpoint: endpoint(number, 0),
            socket: 0,
            astray: None,
            task: Task::Idle,
            told: Task::Idle,
            listens: None,
            heard_at: None,
            voice: None,
            clock_was_set: false,
            mistimed: BTreeSet::new(),
            sent_before: BTreeSet::new(),
        }
    }

    pub fn session(&self) -> Session {
        Session {
            server: "http://ship:8080".into(),
            site: "serenity".into(),
            person: self.person.as_ref(),
            device_id: uuid::Uuid::from_u128(self.number).into(),
            instance: Some(OURS),
        }
    }

    /// Simulates one turn of the controller's loop, with a possible kill between any two steps.
    pub fn input(
        &mut self,
        input: Input,
        now: Now,
        rng: &mut ScheduleRng,
        deadly: bool,
        sabotage: Option<Sabotage>,
    ) -> Went {
        let mut dies = |chance| deadly && rng.random_ratio(chance, 1000);
        let is_answer = matches!(input, Input::Outcomes(_) | Input::Frame { .. });
        let by_the_person = matches!(input, Input::SignedIn(_) | Input::SignOut { .. });
        let says_nothing = match input {
            Input::Recovered => sabotage == Some(Sabotage::KeepSilentAfterAFailure),
            Input::SayAgain => sabotage == Some(Sabotage::SayNothingAgain),
            _ => false,
        };
        let mut step = self.engine.decide(input, now);
        if dies(2) {
            return Went::Killed;
        }
        spoil(&mut step, sabotage);
        let had_a_session = self.engine.image().session.is_some();
        self.was_wiped |= !by_the_person && had_a_session && step.writes.contains(&Write::Wipe);
        if sabotage == Some(Sabotage::KeepLiveVerbs) && !is_answer {
            self.keep_live_verbs(&mut step);
        }
        let answer = match step.answer {
            Ok(Some(id)) => Answer::Kept(id),
            Ok(None) => Answer::Nothing,
            Err(_) => Answer::Refused,
        };
        if self.disk_fails {
            if !step.may_go_unwritten() {
                // The command was rejected, and the person is notified.
                return Went::On(Vec::new(), Answer::Refused);
            }
            self.backlog.extend(step.writes.iter().cloned());
        } else {
            let saved =
                |write: &&Write| !(sabotage == Some(Sabotage::DropSave) && matches!(write, Write::UpsertCommand(_)));
            let writes: Vec<Write> = self.backlog.drain(..).chain(step.writes.iter().filter(saved).cloned()).collect();
            let (precious, rest): (Vec<_>, Vec<_>) = writes.into_iter().partition(Write::is_precious);
            self.disk.apply(&rest);
            if dies(2) {
                return Went::Killed;
            }
            self.disk.apply(&precious);
            if dies(2) {
                return Went::Killed;
            }
        }
        let outputs = self.engine.commit(step, now);
        for output in &outputs {
            if let Output::Tell(told) = output {
                self.show(told, now);
            }
            match output {
                Output::Alerts { alerts, .. } if !says_nothing => self.alerts.clone_from(alerts),
                Output::Phone { task, .. } if !says_nothing => self.told = *task,
                _ => {}
            }
        }
        if !self.is_deaf_to(self.told, sabotage) {
            self.task = self.told;
        }
        self.rings = self.heard(sabotage);
        let most = if dies(4) { rng.random_range(0..=outputs.len()) } else { outputs.len() };
        if most < outputs.len() {
            // Killed among the outputs; the earlier ones were performed.
            self.life += 1;
            let out = outputs.into_iter().take(most).collect();
            return Went::On(out, answer);
        }
        Went::On(outputs, answer)
    }

    fn show(&mut self, told: &CoreEvent, now: Now) {
        match told {
            CoreEvent::Patch { put, gone, .. } => {
                for shown in put {
                    self.screen.insert(EntityKey::of(&shown.entity), shown.clone());
                }
                for key in gone {
                    self.screen.remove(key);
                }
            }
            CoreEvent::Reload => self.screen = self.picture(now),
            CoreEvent::Refused { command_id, .. } => {
                self.refused.insert(*command_id);
            }
            _ => {}
        }
    }

    /// Returns the entities of a fresh view state.
    pub fn picture(&self, now: Now) -> BTreeMap<EntityKey, Shown> {
        self.engine.picture(now).entities.into_iter().map(|shown| (EntityKey::of(&shown.entity), shown)).collect()
    }

    /// Kills the device and restarts it from its disk.
    pub fn restart(&mut self) {
        self.life += 1;
        self.backlog.clear();
        (self.post, self.fetch, self.ask) = (None, None, None);
        self.rings.clear();
        self.alerts.clear();
        self.endpoint = endpoint(self.number, self.life);
        self.socket = 0;
        self.astray = None;
        (self.task, self.told) = (Task::Idle, Task::Idle);
        self.listens = None;
        self.voice = None;
        self.engine = Engine::new(self.disk.clone()).with_endpoint(self.endpoint);
    }

    /// Makes the core fail and restart from the stored data; the shell keeps its last state.
    pub fn fail(&mut self) {
        self.life += 1;
        (self.post, self.fetch, self.ask) = (None, None, None);
        self.socket = 0;
        self.astray = None;
        let mut image = self.disk.clone();
        image.apply(&self.backlog);
        self.engine = Engine::new(image).with_endpoint(self.endpoint);
    }

    /// Makes the bell and the phone fail and restart without state.
    pub fn fail_parts(&mut self) {
        self.alerts.clear();
        self.rings.clear();
        (self.task, self.told) = (Task::Idle, Task::Idle);
    }

    /// Checks that the shell's state matches the engine's last outputs.
    pub fn shell_is_told(&self, picture: &ViewState) -> Result<(), String> {
        if self.alerts != picture.alerts {
            return Err(format!(
                "device {}: the shell rings for {:?}, not {:?}",
                self.number, self.alerts, picture.alerts
            ));
        }
        if self.told != picture.phone.task {
            return Err(format!(
                "device {}: the shell does {:?}, not {:?}",
                self.number, self.told, picture.phone.task
            ));
        }
        Ok(())
    }

    /// Records a command of the person.
    pub fn keep(&mut self, id: CommandId, sort: Sort, life: u64) {
        self.did.push(Did { id, fate: Fate::Kept, sort, life, socket: self.socket });
    }

    /// Returns the kind of an earlier command of the person.
    pub fn sort_of(&self, id: CommandId) -> Sort {
        self.did.iter().find(|did| did.id == id).map_or(Sort::Lasting, |did| did.sort)
    }

    /// Checks that commands with only a live effect are sent over the connection on which they were issued.
    pub fn is_worth_sending(&self, commands: &[Command], life: u64) -> Result<(), String> {
        let stale = |command: &&Command| {
            command.verb.is_live()
                && self.did.iter().any(|did| did.id == command.id && (did.life, did.socket) != (life, self.socket))
        };
        match commands.iter().find(stale) {
            Some(command) => Err(format!("device {}: {command:?} has waited for a connection", self.number)),
            None => Ok(()),
        }
    }

    /// Records calls that begin to ring while the device can't know the time.
    pub fn note_mistimed(&mut self) {
        if self.clock_was_set {
            let ringing: Vec<CallId> =
                self.calls().filter(|call| call.state == CallState::Ringing).map(|call| call.id).collect();
            self.mistimed.extend(ringing);
        }
    }

    /// Returns the calls on the screen.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        let from = EntityKey::first_of(EntityType::Call);
        self.screen.range(from..).map_while(|(_, shown)| as_call(&shown.entity))
    }

    /// Returns the requests on the screen.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.screen.values().filter_map(|shown| as_request(&shown.entity))
    }

    /// Returns the alerts that ring, after applying the sabotage.
    fn heard(&self, sabotage: Option<Sabotage>) -> Vec<Alert> {
        let is_on_duty = |shown: &Shown| matches!(shown.entity.as_ref(), Entity::Person(person) if person.on_duty);
        let is_open = |id| self.requests().any(|request| request.id == id && request.state == Open);
        let gets_through = |alert: &&Alert| match sabotage {
            Some(Sabotage::LeaveTheOffDutyAlone) => self.screen.values().any(is_on_duty),
            Some(Sabotage::RingForWhatIsOpen) => is_open(alert.request_id),
            _ => true,
        };
        self.alerts.iter().filter(gets_through).cloned().collect()
    }

    /// Returns whether the sabotage suppresses a change of the call task.
    fn is_deaf_to(&self, task: Task, sabotage: Option<Sabotage>) -> bool {
        let state = |id| self.calls().find(|call| call.id == id).map(|call| &call.state);
        match (sabotage, self.task, task) {
            (Some(Sabotage::RingUntilTold), Task::Ring { call_id }, Task::Idle) => {
                state(call_id) == Some(&CallState::Ringing)
            }
            (Some(Sabotage::RingOnWhenAnswered), Task::Ring { call_id }, Task::Idle) => {
                matches!(state(call_id), Some(CallState::Ongoing { .. }))
            }
            (Some(Sabotage::TalkOn), Task::Talk { .. }, Task::Idle | Task::Over { .. }) => true,
            _ => false,
        }
    }

    /// Applies the sabotage that lets commands with only a live effect wait.
    fn keep_live_verbs(&self, step: &mut Step) {
        let live = |id: CommandId| self.engine.image().waiting(id).is_some_and(|it| it.command.verb.is_live());
        step.writes.retain(|write| !matches!(write, Write::DeleteCommand(id) if live(*id)));
    }

    /// Applies the sabotage to commands being sent.
    pub fn spoil_commands(&mut self, commands: &mut Vec<Command>, rng: &mut ScheduleRng, sabotage: Option<Sabotage>) {
        if sabotage == Some(Sabotage::SendNewestFirst) {
            commands.reverse();
        }
        for command in commands {
            if !self.sent_before.insert(command.id) && sabotage == Some(Sabotage::ResendWithoutId) {
                command.id = random_id(rng);
            }
        }
    }

    /// Returns whether the disk matches the engine.
    pub fn is_written(&self) -> bool {
        !self.backlog.is_empty() || self.disk == *self.engine.image()
    }
}

fn endpoint(number: u128, life: u64) -> EndpointId {
    EndpointId(uuid::Uuid::from_u128((number << 64) | u128::from(life)))
}

fn spoil(step: &mut Step, sabotage: Option<Sabotage>) {
    for write in &mut step.writes {
        if let (Some(Sabotage::SkipCursor), Write::Advance(cursor)) = (sabotage, &mut *write) {
            cursor.seq += 1;
        }
    }
    if sabotage == Some(Sabotage::ForgetRefusal) {
        for write in &mut step.writes {
            if let Write::Mark(id, crewbell_core::store::CommandStatus::Refused { .. }) = write {
                *write = Write::DeleteCommand(*id);
            }
        }
    }
}
