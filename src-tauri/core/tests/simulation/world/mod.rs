//! The simulated world: the server, the devices, the network between them, one clock and one seed.

mod calls;
mod conversation;
mod path;
mod people;
mod totals;
mod trouble;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use crewbell_core::engine::{Fault, Input, Now, Output, Snapshot};
use crewbell_core::screen::ConnectionError;
use crewbell_core::store::Cursor;
use crewbell_shared::ids::{CallId, CommandId, EndpointId};
use crewbell_shared::protocol::live::{FromClient, FromServer};
use crewbell_shared::protocol::{Command, Outcome};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};

use super::device::{Answer, Device, Went};
use super::sabotage::Sabotage;
use super::server::Server;
use super::site::crew;
use super::{ScheduleRng, checks};

pub use calls::as_call;
pub use people::as_request;
pub use totals::Totals;

/// Milliseconds of a schedule with faults, before everything is healed.
const TROUBLE_MS: u64 = 90_000;
/// Milliseconds after the healing within which everything must come to rest.
const REST_MS: u64 = 120_000;
/// Timeout of a device's request, in milliseconds.
const POST_PATIENCE_MS: u64 = 15_000;

/// A scheduled event.
#[derive(Debug)]
enum Event {
    Wake { device: usize, life: u64 },
    Hello { device: usize, life: u64, socket: u64, cursor: Cursor, events: bool },
    Frame { device: usize, life: u64, socket: u64, frame: Option<Box<FromServer>> },
    Shut { device: usize, life: u64, socket: u64, why: ConnectionError },
    Pulse { device: usize, life: u64, socket: u64 },
    Tried { device: usize, life: u64, works: bool },
    Ask { device: usize, life: u64, post: u64 },
    Asked { device: usize, life: u64, post: u64, result: Result<(), Fault> },
    Post { device: usize, life: u64, post: u64, commands: Vec<Command> },
    Answer { device: usize, life: u64, post: u64, result: Result<Vec<Outcome>, Fault> },
    Fetch { device: usize, life: u64, post: u64 },
    Fetched { device: usize, life: u64, post: u64, result: Box<Result<Snapshot, Fault>> },
    Voice { device: usize, life: u64, call_id: CallId },
    Happen,
}

#[derive(Debug)]
struct Due {
    at: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// A socket or stream, as the server sees it.
#[derive(Debug)]
struct Stream {
    socket: u64,
    life: u64,
    endpoint: EndpointId,
    sent: u64,
    /// Whether it is an event stream, which carries nothing about calls.
    events: bool,
    /// The earliest arrival of the next frame, because frames don't overtake each other.
    arrives: u64,
}

#[derive(Debug)]
pub struct World {
    pub server: Server,
    backup: Option<Box<Server>>,
    /// Another installation that temporarily has the server's address.
    another: Option<Box<Server>>,
    /// Commands that a restored backup lost after the device had removed them.
    pub lost_by_restore: BTreeSet<CommandId>,
    /// Whether a backup was restored: commands accepted before may then come again after later ones.
    pub was_restored: bool,
    pub devices: Vec<Device>,
    /// Devices whose session was revoked since the sign-in.
    token_died: Vec<bool>,
    /// Whether a proxy blocks sockets.
    no_sockets: bool,
    streams: Vec<Option<Stream>>,
    queue: BinaryHeap<Reverse<Due>>,
    wakes: Vec<u64>,
    order: u64,
    tick: u64,
    posts: u64,
    rng: ScheduleRng,
    healed: bool,
    watchful: bool,
    traced: bool,
    sabotage: Option<Sabotage>,
    totals: Totals,
}

impl World {
    /// Runs one schedule from a seed.
    pub fn run(seed: u64, sabotage: Option<Sabotage>) -> Result<Totals, String> {
        let mut rng = ScheduleRng::seed_from_u64(seed);
        let crew = crew();
        // Siri has a tablet and a phone.
        let people = [&crew[0], &crew[0], &crew[1], &crew[2]];
        let count = rng.random_range(2..=4);
        let devices: Vec<Device> = people
            .iter()
            .take(count)
            .enumerate()
            .map(|(n, person)| Device::new((*person).clone(), n as u128 + 1))
            .collect();
        let mut world = Self {
            server: Server::new(),
            backup: None,
            another: None,
            lost_by_restore: BTreeSet::new(),
            was_restored: false,
            token_died: vec![false; devices.len()],
            no_sockets: rng.random_bool(0.1),
            streams: devices.iter().map(|_| None).collect(),
            wakes: vec![u64::MAX; devices.len()],
            devices,
            queue: BinaryHeap::new(),
            order: 0,
            tick: 0,
            posts: 0,
            watchful: rng.random_bool(0.1),
            traced: std::env::var_os("CREWBELL_TRACE").is_some(),
            rng,
            healed: false,
            sabotage,
            totals: Totals::default(),
        };
        world.begin()?;
        world.go_until(TROUBLE_MS)?;
        world.heal()?;
        world.come_to_rest()?;
        checks::all(&world)?;
        let outcomes: Vec<_> = world.server.outcomes.values().cloned().collect();
        let kinds: Vec<String> = world.server.log.iter().map(|entry| entry.kind.clone()).collect();
        for kind in kinds {
            world.totals.count_entry(&kind);
        }
        for outcome in outcomes {
            world.totals.count(if outcome.refusal.is_some() { "refused by the server" } else { "done" });
        }
        Ok(world.totals)
    }

    fn begin(&mut self) -> Result<(), String> {
        for device in 0..self.devices.len() {
            if self.rng.random_bool(0.15) {
                self.devices[device].skew = self.rng.random_range(-43_200_000..43_200_000);
            }
            self.input(device, Input::Start)?;
            let session = self.devices[device].session();
            self.input(device, Input::SignedIn(session))?;
        }
        self.push(50, Event::Happen);
        Ok(())
    }

    fn go_until(&mut self, end: u64) -> Result<(), String> {
        while let Some(Reverse(due)) = self.queue.pop() {
            if due.at > end {
                self.queue.push(Reverse(due));
                self.tick = end;
                return Ok(());
            }
            self.tick = due.at;
            self.event(due.event)?;
        }
        self.tick = end;
        Ok(())
    }

    /// Heals everything: no more faults, everybody is signed in, and no new events.
    fn heal(&mut self) -> Result<(), String> {
        self.healed = true;
        self.server.up = true;
        self.another = None;
        self.server.revoked.clear();
        for device in 0..self.devices.len() {
            self.devices[device].cut = false;
            self.devices[device].disk_fails = false;
            if self.devices[device].engine.image().session.is_none() {
                let session = self.devices[device].session();
                self.input(device, Input::SignedIn(session))?;
            }
            self.input(device, Input::Network { there: true })?;
        }
        Ok(())
    }

    fn come_to_rest(&mut self) -> Result<(), String> {
        let end = self.tick + REST_MS;
        while self.tick < end {
            let until = self.tick + 1_000;
            self.go_until(until)?;
            self.look_after_calls()?;
            self.pump();
            for device in 0..self.devices.len() {
                if self.devices[device].engine.image().session.is_none() {
                    let session = self.devices[device].session();
                    self.input(device, Input::SignedIn(session))?;
                }
            }
            if checks::at_rest(self) {
                return Ok(());
            }
        }
        Err(format!("nothing came to rest within {REST_MS} ms: {}", checks::why_not_at_rest(self)))
    }

    fn push(&mut self, after: u64, event: Event) {
        self.order += 1;
        self.queue.push(Reverse(Due { at: self.tick + after, order: self.order, event }));
    }

    fn server_time(&self) -> Timestamp {
        crewbell_shared::testing::at(0) + SignedDuration::from_millis(i64::try_from(self.tick).unwrap())
    }

    pub fn now(&mut self, device: usize) -> Now {
        let skew = SignedDuration::from_millis(self.devices[device].skew);
        Now { wall: self.server_time() + skew, tick: self.tick, jitter: self.rng.random() }
    }

    /// Returns a random latency, in milliseconds.
    fn latency(&mut self) -> u64 {
        let slow = !self.healed && self.rng.random_bool(0.03);
        self.rng.random_range(if slow { 500..20_500 } else { 1..41 })
    }

    fn chance(&mut self, percent: u32) -> bool {
        !self.healed && self.rng.random_ratio(percent, 100)
    }

    fn is_old(&self, device: usize, life: u64) -> bool {
        self.devices[device].life != life
    }

    fn input(&mut self, device: usize, input: Input) -> Result<Answer, String> {
        let now = self.now(device);
        let deadly = !self.healed;
        let life = self.devices[device].life;
        if let Input::SignedIn(_) = input {
            self.token_died[device] = false;
        }
        let went = self.devices[device].input(input, now, &mut self.rng, deadly, self.sabotage);
        if std::mem::take(&mut self.devices[device].was_wiped) && !self.token_died[device] {
            return Err(format!("device {}: it was wiped, and its token lives", self.devices[device].number));
        }
        let (outputs, answer) = match went {
            Went::On(outputs, answer) => (outputs, answer),
            Went::Killed => {
                self.kill(device)?;
                return Ok(Answer::None);
            }
        };
        let mut over = None;
        for output in outputs {
            if let Output::EndCall { call_id } = output {
                over = Some(call_id);
            }
            self.output(device, life, output)?;
        }
        if self.devices[device].life != life {
            self.kill(device)?;
            return Ok(answer);
        }
        if self.watchful {
            checks::after_a_turn(&self.devices[device], now)?;
        }
        self.devices[device].note_mistimed();
        checks::after_an_input(&self.devices[device], self.server_time())?;
        let picture = self.devices[device].engine.picture(now);
        self.devices[device].shell_is_told(&picture)?;
        checks::an_emergency_rings(&self.devices[device], &picture)?;
        self.listen(device);
        if let Some(call_id) = over {
            self.broke_off(device, call_id)?;
        }
        Ok(answer)
    }

    fn kill(&mut self, device: usize) -> Result<(), String> {
        self.totals.count("killed");
        self.unplug(device);
        self.devices[device].restart();
        self.wakes[device] = u64::MAX;
        let now = self.now(device);
        self.devices[device].screen = self.devices[device].picture(now);
        self.input(device, Input::Start).map(|_| ())
    }

    fn output(&mut self, device: usize, life: u64, output: Output) -> Result<(), String> {
        match output {
            Output::Connect { socket, cursor } => {
                let after = self.latency();
                self.devices[device].socket = socket;
                self.push(after, Event::Hello { device, life, socket, cursor, events: false });
            }
            Output::Listen { socket, cursor } => {
                let after = self.latency();
                self.devices[device].socket = socket;
                self.push(after, Event::Hello { device, life, socket, cursor, events: true });
            }
            Output::TrySocket => {
                let works = !self.no_sockets && !self.devices[device].cut && self.server.up;
                let after = self.latency();
                self.push(after, Event::Tried { device, life, works });
            }
            Output::AskToken => {
                self.posts += 1;
                let (post, after) = (self.posts, self.latency());
                self.devices[device].ask = Some(post);
                self.push(after, Event::Ask { device, life, post });
                let timeout = Err(Fault::Away(ConnectionError::NoAnswer));
                self.push(POST_PATIENCE_MS, Event::Asked { device, life, post, result: timeout });
            }
            Output::Disconnect | Output::Moved => {
                self.unplug(device);
            }
            Output::Say(FromClient::Heartbeat) => {
                // An event stream pulses by itself.
                if let Some(stream) = self.streams[device].as_ref().filter(|stream| !stream.events) {
                    let (socket, sent) = (stream.socket, Some(stream.sent));
                    let (head, server_time) = (self.server.head(), self.server_time());
                    let pulse = FromServer::Pulse { head, sent, server_time };
                    self.send(device, life, socket, pulse);
                }
            }
            Output::Say(_)
            | Output::ForgetToken { .. }
            | Output::Tell(_)
            | Output::Alerts { .. }
            | Output::Phone { .. }
            | Output::Signal { .. }
            | Output::SocketBack
            | Output::EndCall { .. } => {}
            Output::FetchSnapshot => {
                self.posts += 1;
                let (post, after) = (self.posts, self.latency());
                self.devices[device].fetch = Some(post);
                self.push(after, Event::Fetch { device, life, post });
                let timeout = Box::new(Err(Fault::Away(ConnectionError::NoAnswer)));
                self.push(POST_PATIENCE_MS, Event::Fetched { device, life, post, result: timeout });
            }
            Output::Send(mut commands) => {
                self.posts += 1;
                let post = self.posts;
                let number = self.devices[device].number;
                if self.devices[device].astray == Some(self.devices[device].socket) {
                    return Err(format!("device {number}: it sends {commands:?} to another installation"));
                }
                self.devices[device].is_worth_sending(&commands, life)?;
                self.devices[device].post = Some(post);
                self.devices[device].spoil_commands(&mut commands, &mut self.rng, self.sabotage);
                if self.chance(6) {
                    self.totals.count("late duplicates");
                    let late = self.rng.random_range(5_000..45_000);
                    self.push(late, Event::Post { device, life, post: 0, commands: commands.clone() });
                }
                if !self.chance(8) {
                    let after = self.latency();
                    self.push(after, Event::Post { device, life, post, commands });
                }
                let timeout = Err(Fault::Away(ConnectionError::NoAnswer));
                self.push(POST_PATIENCE_MS, Event::Answer { device, life, post, result: timeout });
            }
            Output::Wake { at_tick } => {
                if at_tick < self.wakes[device] || self.wakes[device] <= self.tick {
                    self.wakes[device] = at_tick;
                    self.push(at_tick - self.tick, Event::Wake { device, life });
                }
            }
        }
        Ok(())
    }

    /// Sends a frame over a stream; it arrives after the earlier ones.
    fn send(&mut self, device: usize, life: u64, socket: u64, frame: FromServer) {
        let latency = self.latency();
        let arrives = self.streams[device].as_ref().map_or(0, |stream| stream.arrives).max(self.tick + latency);
        if let Some(stream) = &mut self.streams[device] {
            stream.arrives = arrives;
        }
        let after = arrives - self.tick;
        if self.chance(2) {
            self.totals.count("frames lost");
            return;
        }
        let garbled = self.chance(1);
        if garbled {
            self.totals.count("frames garbled");
        }
        let frame = (!garbled).then(|| Box::new(frame));
        self.push(after, Event::Frame { device, life, socket, frame });
    }

    /// Sends the outstanding entries to every stream.
    fn pump(&mut self) {
        for device in 0..self.devices.len() {
            loop {
                let most = self.rng.random_range(1..=4);
                let Some(stream) = &mut self.streams[device] else { break };
                let Some(frame) = self.server.entries(stream.sent, most) else { break };
                if let FromServer::Entries { entries, .. } = &frame {
                    stream.sent = entries.last().unwrap().meta.seq;
                }
                let (life, socket) = (stream.life, stream.socket);
                self.send(device, life, socket, frame);
            }
        }
    }

    fn event(&mut self, event: Event) -> Result<(), String> {
        if self.traced {
            eprintln!("{} {event:?}", self.tick);
        }
        match event {
            Event::Wake { device, life } => {
                if !self.is_old(device, life) && self.wakes[device] <= self.tick {
                    self.wakes[device] = u64::MAX;
                    self.input(device, Input::Tick)?;
                }
            }
            Event::Hello { device, life, socket, cursor, events } => self.hello(device, life, socket, cursor, events),
            Event::Frame { device, life, socket, frame } => self.arrive(device, life, socket, frame)?,
            Event::Shut { device, life, socket, why } => {
                if !self.is_old(device, life) {
                    self.input(device, Input::Closed { socket, why })?;
                }
            }
            Event::Pulse { device, life, socket } => self.pulse(device, life, socket),
            Event::Tried { device, life, works } => {
                if !self.is_old(device, life) {
                    if works {
                        self.totals.count("sockets back");
                    }
                    self.input(device, Input::SocketTried { works })?;
                }
            }
            Event::Ask { device, life, post } => self.ask(device, life, post),
            Event::Asked { device, life, post, result } => {
                if !self.is_old(device, life) && self.devices[device].ask == Some(post) {
                    self.devices[device].ask = None;
                    self.input(device, Input::Token(result))?;
                }
            }
            Event::Post { device, life, post, commands } => self.post(device, life, post, commands)?,
            Event::Answer { device, life, post, result } => {
                if !self.is_old(device, life) && self.devices[device].post == Some(post) {
                    self.devices[device].post = None;
                    let result = self.hear_answer(result);
                    self.input(device, Input::Outcomes(result))?;
                }
            }
            Event::Fetch { device, life, post } => {
                let who = self.devices[device].person.id;
                let lost = self.devices[device].cut || self.chance(10);
                if !lost {
                    let result = Box::new(match self.another {
                        Some(_) => Err(Fault::Away(ConnectionError::OtherServer)),
                        None => self.server.snapshot(who),
                    });
                    let after = self.latency();
                    self.push(after, Event::Fetched { device, life, post, result });
                }
            }
            Event::Fetched { device, life, post, result } => {
                if !self.is_old(device, life) && self.devices[device].fetch == Some(post) && !self.devices[device].cut {
                    self.devices[device].fetch = None;
                    self.input(device, Input::Snapshot(*result))?;
                } else if self.devices[device].cut && self.devices[device].fetch == Some(post) {
                    let result = Box::new(Err(Fault::Away(ConnectionError::network("network is unreachable"))));
                    self.push(1_000, Event::Fetched { device, life, post, result });
                }
            }
            Event::Voice { device, life, call_id } => {
                if !self.is_old(device, life) {
                    self.voice(device, call_id)?;
                }
            }
            Event::Happen => {
                self.look_after_calls()?;
                self.pump();
                if !self.healed {
                    self.happen()?;
                    let longest = if self.rng.random_bool(0.3) { 6_000 } else { 400 };
                    let pause = self.rng.random_range(0..longest);
                    self.push(pause, Event::Happen);
                }
            }
        }
        Ok(())
    }
}
