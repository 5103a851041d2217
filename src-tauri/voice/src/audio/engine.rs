//! The handle of a call's sound.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    device::{Devices, Direction, Wake},
    keeper::Keeper,
    processing::Treatment,
    receiver::Reception,
    worker::{Order, Worker},
};
use crate::Packet;

/// No device wakes the engine for so long when there is none.
const PATIENCE: Duration = Duration::from_millis(10);
/// Between two looks at the devices.
const LOOK: Duration = Duration::from_millis(200);

/// How a call's sound begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The microphone by its name; the system's default without.
    pub input: Option<String>,
    /// As `input`, the loudspeaker.
    pub output: Option<String>,
    /// What is done to the microphone's sound.
    pub treatment: Treatment,
    /// Whether it goes out.
    pub speaking: Speaking,
    /// How loud the other side is, 0 to 1.
    pub volume: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { input: None, output: None, treatment: Treatment::default(), speaking: Speaking::default(), volume: 1.0 }
    }
}

/// Whether what the microphone hears goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speaking {
    /// Nothing goes out.
    pub muted: bool,
    /// It goes out only while the button is held.
    pub push_to_talk: bool,
    /// It is held.
    pub held: bool,
}

impl Speaking {
    /// Whether it goes out.
    pub fn is_open(self) -> bool {
        !self.muted && (!self.push_to_talk || self.held)
    }
}

/// What is told of a call's sound. Comes from the engine's own threads: whoever takes it must not block.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The microphone.
    Input(DeviceState),
    /// The loudspeaker.
    Output(DeviceState),
    /// 20 times a second.
    Levels(Levels),
}

/// What became of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// It is open.
    Open {
        /// Which.
        name: String,
        /// The chosen one, where this is another: it isn't there. It is taken as soon as it is.
        instead_of: Option<String>,
    },
    /// There is none, and the call goes on without: silent, or unheard. Tried again every 2 s.
    Missing {
        /// In words, fit to show.
        why: String,
    },
}

/// Peaks of the last 50 ms in dBFS, from -96 (silence).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Of the microphone, muted or not.
    pub input_dbfs: f32,
    /// Of what is played.
    pub output_dbfs: f32,
}

/// Figures of a call's sound, from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Of what the other side sends.
    pub reception: Reception,
    /// Packets that were sent.
    pub sent: u64,
    /// How often the loudspeaker that is open wanted sound and there was none.
    pub underruns: u64,
    /// How often sound of the microphone that is open was lost in this machine.
    pub overruns: u64,
}

/// A call's sound, from when it is started until it is dropped.
pub struct AudioEngine {
    orders: Sender<Order>,
    devices: Sender<DeviceOrder>,
    statistics: Arc<Mutex<Statistics>>,
    speaking: Mutex<Speaking>,
    clock: Clock,
    threads: Vec<JoinHandle<()>>,
    wake: Wake,
}

enum DeviceOrder {
    Choose(Direction, Option<String>),
    Names(Direction, Sender<Vec<String>>),
    Close,
}

impl AudioEngine {
    /// Starts it: `packets` takes what is to be sent, every 20 ms while somebody speaks; `events` what is told. Neither may
    /// block. Devices are opened meanwhile; what became of them is told.
    ///
    /// # Errors
    /// When the machine has no thread or memory left.
    pub fn start(
        options: &Options,
        devices: impl Devices + 'static,
        packets: impl FnMut(Packet) + Send + 'static,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let began = Instant::now();
        let (mut engine, Hand { mut keeper, mut worker, orders, .. }) =
            Self::build(options, Box::new(devices), Box::new(packets), Arc::new(events), Clock::Real(began))?;
        let work = thread::Builder::new().name("call-sound".to_owned()).spawn(move || {
            while worker.step(began.elapsed()) {
                thread::park_timeout(PATIENCE);
            }
        })?;
        engine.wake.set(work.thread().clone());
        engine.threads.push(work);
        let keep = thread::Builder::new().name("call-devices".to_owned()).spawn(move || {
            loop {
                keeper.look(began.elapsed());
                match orders.recv_timeout(LOOK) {
                    Ok(DeviceOrder::Choose(direction, name)) => keeper.choose(direction, name),
                    // Who asked may have gone.
                    Ok(DeviceOrder::Names(direction, answer)) => drop(answer.send(keeper.names(direction))),
                    Ok(DeviceOrder::Close) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        })?;
        engine.threads.push(keep);
        Ok(engine)
    }

    /// The same with no thread: it does its work when the hand says how late it is, and only then.
    ///
    /// # Errors
    /// As `start`.
    pub fn in_hand(
        options: &Options,
        devices: impl Devices + 'static,
        packets: impl FnMut(Packet) + Send + 'static,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<(Self, Hand)> {
        let clock = Clock::Held(Arc::default());
        Self::build(options, Box::new(devices), Box::new(packets), Arc::new(events), clock)
    }

    fn build(
        options: &Options,
        devices: Box<dyn Devices>,
        packets: Box<dyn FnMut(Packet) + Send>,
        events: Arc<dyn Fn(Event) + Send + Sync>,
        clock: Clock,
    ) -> io::Result<(Self, Hand)> {
        let (orders, inbox) = channel();
        let (device_orders, device_inbox) = channel();
        let statistics = Arc::default();
        let wake = Wake::default();
        let worker = Worker::new(options, inbox, packets, events.clone(), Arc::clone(&statistics))
            .map_err(|error| io::Error::new(io::ErrorKind::OutOfMemory, error))?;
        let handing = orders.clone();
        // A worker that is gone needs no device.
        let hand_over = Box::new(move |order| drop(handing.send(order)));
        let choice = (options.input.clone(), options.output.clone());
        let keeper = Keeper::new(devices, wake.clone(), choice, hand_over, events);
        let engine = Self {
            orders,
            devices: device_orders,
            statistics,
            speaking: Mutex::new(options.speaking),
            clock: clock.clone(),
            threads: Vec::new(),
            wake,
        };
        Ok((engine, Hand { keeper, worker, orders: device_inbox, clock }))
    }

    /// Takes a packet that has just come.
    pub fn receive(&self, packet: Packet) {
        self.order(Order::Packet(packet, self.clock.now()));
    }

    /// Whether nothing goes out.
    pub fn set_muted(&self, muted: bool) {
        self.speak(|speaking| speaking.muted = muted);
    }

    /// Whether something goes out only while the button is held.
    pub fn set_push_to_talk(&self, on: bool) {
        self.speak(|speaking| speaking.push_to_talk = on);
    }

    /// The button is held, or let go.
    pub fn hold(&self, held: bool) {
        self.speak(|speaking| speaking.held = held);
    }

    /// Whether what is said goes out now.
    pub fn speaking(&self) -> Speaking {
        *self.speaking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How loud the other side is, 0 to 1.
    pub fn set_volume(&self, volume: f32) {
        if volume.is_finite() {
            self.order(Order::Volume(volume.clamp(0.0, 1.0)));
        }
    }

    /// Which part of our packets gets lost, 0 to 1, as the other side has last reported.
    pub fn expect_loss(&self, loss: f32) {
        self.order(Order::Loss(loss));
    }

    /// Takes another device; `None` is the system's default. What becomes of it is told.
    pub fn choose(&self, direction: Direction, name: Option<String>) {
        drop(self.devices.send(DeviceOrder::Choose(direction, name)));
    }

    /// What can be chosen. Takes as long as the system takes to look, some 100 ms at most; empty when it has failed.
    pub fn devices(&self, direction: Direction) -> Vec<String> {
        let (answer, names) = channel();
        drop(self.devices.send(DeviceOrder::Names(direction, answer)));
        names.recv_timeout(Duration::from_secs(2)).unwrap_or_default()
    }

    /// Figures, not older than 50 ms.
    pub fn statistics(&self) -> Statistics {
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn speak(&self, change: impl FnOnce(&mut Speaking)) {
        let mut speaking = self.speaking.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut speaking);
        self.order(Order::Speaking(*speaking));
    }

    fn order(&self, order: Order) {
        // A worker that is gone is one whose engine is dropped, or whose hand is.
        drop(self.orders.send(order));
    }
}

impl Drop for AudioEngine {
    fn drop(&mut self) {
        self.order(Order::Close);
        drop(self.devices.send(DeviceOrder::Close));
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // Who gave the last handle to `packets` or `events` drops it there: that thread ends by itself.
            let is_own = thread.thread().id() == thread::current().id();
            if !is_own && thread.join().is_err() {
                tracing::error!("a thread of a call's sound has failed");
            }
        }
    }
}

impl fmt::Debug for AudioEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioEngine").finish_non_exhaustive()
    }
}

/// Does the work of an engine that has no thread.
pub struct Hand {
    keeper: Keeper,
    worker: Worker,
    orders: std::sync::mpsc::Receiver<DeviceOrder>,
    clock: Clock,
}

impl Hand {
    /// Does what is to be done at `now`, counted from the engine's beginning.
    pub fn step(&mut self, now: Duration) {
        if let Clock::Held(micros) = &self.clock {
            micros.store(u64::try_from(now.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        while let Ok(order) = self.orders.try_recv() {
            match order {
                DeviceOrder::Choose(direction, name) => self.keeper.choose(direction, name),
                DeviceOrder::Names(direction, answer) => drop(answer.send(self.keeper.names(direction))),
                DeviceOrder::Close => {}
            }
        }
        self.keeper.look(now);
        self.worker.step(now);
    }
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hand").finish_non_exhaustive()
    }
}

/// Since the engine's beginning.
#[derive(Clone, Debug)]
enum Clock {
    Real(Instant),
    Held(Arc<AtomicU64>),
}

impl Clock {
    fn now(&self) -> Duration {
        match self {
            Self::Real(began) => began.elapsed(),
            Self::Held(micros) => Duration::from_micros(micros.load(Ordering::Relaxed)),
        }
    }
}
