//! One device: an engine, a disk, what its screen shows, and what its person did.

use std::collections::BTreeMap;

use crewbell_core::engine::{Engine, Input, Now, Output, Step};
use crewbell_core::screen::{Alert, Shown, Told};
use crewbell_core::store::{Image, Key, Session, Write};
use crewbell_shared::ids::CommandId;
use crewbell_shared::person::Person;

use super::dice::Dice;
use super::sabotage::Sabotage;

/// What became of what a person did, as far as they decided it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken: the device said so.
    Kept,
    /// The person gave it up, or tried it again under another id.
    GivenUp,
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
    /// What its person did, in order.
    pub did: Vec<(CommandId, Fate)>,
    /// What its screen shows.
    pub screen: BTreeMap<Key, Shown>,
    pub rings: Vec<Alert>,
    sent_before: std::collections::BTreeSet<CommandId>,
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
            engine: Engine::default(),
            disk: Image::default(),
            backlog: Vec::new(),
            disk_fails: false,
            life: 0,
            cut: false,
            skew: 0,
            post: None,
            fetch: None,
            did: Vec::new(),
            screen: BTreeMap::new(),
            rings: Vec::new(),
            sent_before: std::collections::BTreeSet::new(),
        }
    }

    pub fn session(&self) -> Session {
        Session {
            server: "http://ship:8080".into(),
            site: "serenity".into(),
            person: self.person.as_ref(),
            device_id: uuid::Uuid::from_u128(self.number).into(),
        }
    }

    /// One turn of the controller's loop, with death at any of its seams.
    pub fn input(&mut self, input: Input, now: Now, dice: &mut Dice, deadly: bool, sabotage: Option<Sabotage>) -> Went {
        let mut dies = |chance: u64| deadly && dice.below(1000) < chance;
        let mut step = self.engine.decide(input, now);
        if dies(2) {
            return Went::Killed;
        }
        spoil(&mut step, sabotage);
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
            if let Output::Alerts { alerts, .. } = output {
                self.rings.clone_from(alerts);
            }
        }
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
        self.post = None;
        self.fetch = None;
        self.rings.clear();
        self.engine = Engine::new(self.disk.clone());
    }

    /// Spoils what is sent a second time.
    pub fn spoil_commands(
        &mut self,
        commands: &mut Vec<crewbell_shared::protocol::Command>,
        dice: &mut Dice,
        sabotage: Option<Sabotage>,
    ) {
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
