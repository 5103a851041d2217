//! One device: an engine, a disk, what its screen shows, and what its person did.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_core::engine::{Engine, Input, Now, Output, Step};
use crewbell_core::screen::{Alert, Media, Picture, Shown, Task, Told};
use crewbell_core::store::{Image, Key, Session, Write};
use crewbell_shared::call::{Call, State};
use crewbell_shared::ids::{CallId, CommandId, EndpointId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::{Command, Entity, EntityType, Verb};
use crewbell_shared::request::Request;
use crewbell_shared::request::State::Open;

use super::dice::Dice;
use super::sabotage::Sabotage;
use super::server::OURS;
use super::world::{as_call, as_request};

/// What became of what a person did, as far as they decided it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken: the device said so.
    Kept,
    /// The person gave it up, or tried it again under another id.
    GivenUp,
}

/// What sort of thing it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It is kept until the server has answered.
    Lasting,
    /// It makes sense only at once: to call, to answer.
    Live,
    /// To hang up.
    HangUp,
    /// The device itself says that a call broke off.
    BrokenOff,
}

impl Sort {
    pub fn of(verb: &Verb) -> Self {
        match verb {
            _ if verb.is_live() => Self::Live,
            Verb::EndCall { .. } => Self::HangUp,
            _ => Self::Lasting,
        }
    }
}

/// What a person did.
#[derive(Clone, Copy, Debug)]
pub struct Did {
    pub id: CommandId,
    pub fate: Fate,
    pub sort: Sort,
    /// In which life of the device, and over which of its sockets.
    pub life: u64,
    pub socket: u64,
}

/// One device.
#[derive(Debug)]
pub struct Device {
    pub person: Person,
    pub number: u128,
    pub engine: Engine,
    /// What survives a crash.
    pub disk: Image,
    /// Writes that the disk didn't take, in order.
    backlog: Vec<Write>,
    pub disk_fails: bool,
    /// Counts the crashes; what was on its way to an earlier life is lost.
    pub life: u64,
    /// No network.
    pub cut: bool,
    /// Milliseconds by which its clock is wrong.
    pub skew: i64,
    /// The post that it waits for an answer to; later answers to older ones are not heard.
    pub post: Option<u64>,
    pub fetch: Option<u64>,
    pub ask: Option<u64>,
    /// The site was wiped from it, and nobody signed in or out here.
    pub was_wiped: bool,
    /// What its person did, in order.
    pub did: Vec<Did>,
    /// What it said was refused.
    pub refused: BTreeSet<CommandId>,
    /// What its screen shows.
    pub screen: BTreeMap<Key, Shown>,
    pub rings: Vec<Alert>,
    /// What the engine said last of what rings.
    alerts: Vec<Alert>,
    /// This life of it, as calls name it.
    pub endpoint: EndpointId,
    /// The number of the socket that was asked for last, and of the one over which another installation answered.
    pub socket: u64,
    pub astray: Option<u64>,
    /// What it does about calls, and what the engine said last of that.
    pub task: Task,
    told: Task,
    /// The call whose voice is looked at, when the other side was last heard, and what was said of that.
    pub listens: Option<CallId>,
    pub heard_at: Option<u64>,
    pub voice: Option<Media>,
    /// Its clock was set, and it hasn't heard the server's time since.
    pub clock_was_set: bool,
    /// Calls that it may have begun to ring for meanwhile.
    pub mistimed: BTreeSet<CallId>,
    sent_before: BTreeSet<CommandId>,
}

/// What whoever asked was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The command is kept.
    Kept(CommandId),
    /// There was nothing to keep.
    Nothing,
    /// No.
    Refused,
    /// The device died before it could say anything.
    None,
}

/// How an input went.
#[derive(Debug)]
pub enum Went {
    /// These follow, and the answer to who asked.
    On(Vec<Output>, Answer),
    /// The device was killed in the middle.
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

    /// One turn of the controller's loop, with death at any of its seams.
    pub fn input(&mut self, input: Input, now: Now, dice: &mut Dice, deadly: bool, sabotage: Option<Sabotage>) -> Went {
        let mut dies = |chance: u64| deadly && dice.below(1000) < chance;
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
                // Nothing was done, and the person is told so.
                return Went::On(Vec::new(), Answer::Refused);
            }
            self.backlog.extend(step.writes.iter().cloned());
        } else {
            let saved = |write: &&Write| !(sabotage == Some(Sabotage::DropSave) && matches!(write, Write::Keep(_)));
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
        let most = if dies(4) { dice.below(outputs.len() as u64 + 1) } else { outputs.len() as u64 };
        if most < outputs.len() as u64 {
            // Killed among the outputs; those before went out.
            self.life += 1;
            let out = outputs.into_iter().take(usize::try_from(most).unwrap()).collect();
            return Went::On(out, answer);
        }
        Went::On(outputs, answer)
    }

    fn show(&mut self, told: &Told, now: Now) {
        match told {
            Told::Patch { put, gone, .. } => {
                for shown in put {
                    self.screen.insert(Key::of(&shown.noun), shown.clone());
                }
                for key in gone {
                    self.screen.remove(key);
                }
            }
            Told::Reload => self.screen = self.picture(now),
            Told::Refused { command_id, .. } => {
                self.refused.insert(*command_id);
            }
            _ => {}
        }
    }

    /// What a window that looks now would show.
    pub fn picture(&self, now: Now) -> BTreeMap<Key, Shown> {
        self.engine.picture(now).nouns.into_iter().map(|shown| (Key::of(&shown.noun), shown)).collect()
    }

    /// Killed, and started again from what is on the disk.
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

    /// The core failed, and begins again from what is stored; the shell goes on with what it was told last.
    pub fn fail(&mut self) {
        self.life += 1;
        (self.post, self.fetch, self.ask) = (None, None, None);
        self.socket = 0;
        self.astray = None;
        let mut image = self.disk.clone();
        image.apply(&self.backlog);
        self.engine = Engine::new(image).with_endpoint(self.endpoint);
    }

    /// The bell and the phone fail, and begin anew: they know nothing.
    pub fn fail_parts(&mut self) {
        self.alerts.clear();
        self.rings.clear();
        (self.task, self.told) = (Task::Idle, Task::Idle);
    }

    /// Whether the shell does what the engine said last.
    pub fn shell_is_told(&self, picture: &Picture) -> Result<(), String> {
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

    /// The person did this.
    pub fn keep(&mut self, id: CommandId, sort: Sort, life: u64) {
        self.did.push(Did { id, fate: Fate::Kept, sort, life, socket: self.socket });
    }

    /// What sort of thing one was that the person did before.
    pub fn sort_of(&self, id: CommandId) -> Sort {
        self.did.iter().find(|did| did.id == id).map_or(Sort::Lasting, |did| did.sort)
    }

    /// Whether what is worth something only at the time is sent over the connection that was there when it was done.
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

    /// Notes what begins to ring while it can't know the time.
    pub fn note_mistimed(&mut self) {
        if self.clock_was_set {
            let ringing: Vec<CallId> =
                self.calls().filter(|call| call.state == State::Ringing).map(|call| call.id).collect();
            self.mistimed.extend(ringing);
        }
    }

    /// The calls that its screen shows.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        let from = Key::new(EntityType::Call, uuid::Uuid::nil());
        self.screen.range(from..).map_while(|(_, shown)| as_call(&shown.noun))
    }

    /// The requests that its screen shows.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.screen.values().filter_map(|shown| as_request(&shown.noun))
    }

    /// What rings of what the engine said last.
    fn heard(&self, sabotage: Option<Sabotage>) -> Vec<Alert> {
        let is_on_duty = |shown: &Shown| matches!(shown.noun.as_ref(), Entity::Person(person) if person.on_duty);
        let is_open = |id| self.requests().any(|request| request.id == id && request.state == Open);
        let gets_through = |alert: &&Alert| match sabotage {
            Some(Sabotage::LeaveTheOffDutyAlone) => self.screen.values().any(is_on_duty),
            Some(Sabotage::RingForWhatIsOpen) => is_open(alert.request_id),
            _ => true,
        };
        self.alerts.iter().filter(gets_through).cloned().collect()
    }

    /// Whether what the engine says of calls doesn't get through.
    fn is_deaf_to(&self, task: Task, sabotage: Option<Sabotage>) -> bool {
        let state = |id| self.calls().find(|call| call.id == id).map(|call| &call.state);
        match (sabotage, self.task, task) {
            (Some(Sabotage::RingUntilTold), Task::Ring { call_id }, Task::Idle) => {
                state(call_id) == Some(&State::Ringing)
            }
            (Some(Sabotage::RingOnWhenAnswered), Task::Ring { call_id }, Task::Idle) => {
                matches!(state(call_id), Some(State::Ongoing { .. }))
            }
            (Some(Sabotage::TalkOn), Task::Talk { .. }, Task::Idle | Task::Over { .. }) => true,
            _ => false,
        }
    }

    /// What was worth something only at the time waits as all else does.
    fn keep_live_verbs(&self, step: &mut Step) {
        let live = |id: CommandId| self.engine.image().waiting(id).is_some_and(|it| it.command.verb.is_live());
        step.writes.retain(|write| !matches!(write, Write::Drop(id) if live(*id)));
    }

    /// Spoils what is sent a second time.
    pub fn spoil_commands(&mut self, commands: &mut Vec<Command>, dice: &mut Dice, sabotage: Option<Sabotage>) {
        if sabotage == Some(Sabotage::SendNewestFirst) {
            commands.reverse();
        }
        for command in commands {
            if !self.sent_before.insert(command.id) && sabotage == Some(Sabotage::ResendWithoutId) {
                command.id = dice.id();
            }
        }
    }

    /// Whether what is on the disk is what the engine works on.
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
            if let Write::Mark(id, crewbell_core::store::Doing::Refused { .. }) = write {
                *write = Write::Drop(*id);
            }
        }
    }
}
