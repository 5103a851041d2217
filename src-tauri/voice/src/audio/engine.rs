//! The handle of a call's audio.

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
    processing::Treatment,
    receiver::Reception,
    supervisor::Supervisor,
    worker::{Order, Worker},
};
use crate::Packet;

/// The worker's wait limit if no device wakes it.
const PATIENCE: Duration = Duration::from_millis(10);
/// The interval between checks of the devices.
const LOOK: Duration = Duration::from_millis(200);

/// The initial settings of a call's audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The microphone by its name; none for the system's default.
    pub input: Option<String>,
    /// The loudspeaker, as `input`.
    pub output: Option<String>,
    /// The processing of the microphone's sound.
    pub treatment: Treatment,
    /// Whether the microphone's sound is sent.
    pub speaking: Speaking,
    /// The playback volume, 0 to 1.
    pub volume: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { input: None, output: None, treatment: Treatment::default(), speaking: Speaking::default(), volume: 1.0 }
    }
}

/// Settings for whether the microphone's sound is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speaking {
    /// Whether it is muted.
    pub muted: bool,
    /// Whether it is sent only while the button is held.
    pub push_to_talk: bool,
    /// Whether the button is held.
    pub held: bool,
}

impl Speaking {
    /// Whether the sound is sent.
    pub fn is_open(self) -> bool {
        !self.muted && (!self.push_to_talk || self.held)
    }
}

/// An event of a call's audio. Sent from the engine's threads, so the callback must not block.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The microphone's state changed.
    Input(DeviceState),
    /// The loudspeaker's state changed.
    Output(DeviceState),
    /// The levels, sent 20 times a second.
    Levels(Levels),
}

/// The state of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// A device is open.
    Open {
        /// The device's name.
        name: String,
        /// The chosen device, if it is missing and this is a fallback. It is used as soon as it is back.
        instead_of: Option<String>,
    },
    /// No device is open, and the call goes on without it. Retried every 2 s.
    Missing {
        /// The reason, fit to show.
        why: String,
    },
}

/// Peaks of the last 50 ms in dBFS, from -96 (silence).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// The microphone's level, muted or not.
    pub input_dbfs: f32,
    /// The playback level.
    pub output_dbfs: f32,
}

/// Statistics of a call's audio, from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// The reception of the other side's packets.
    pub reception: Reception,
    /// The number of packets sent.
    pub sent: u64,
    /// The number of underruns of the open loudspeaker.
    pub underruns: u64,
    /// The number of overruns of the open microphone.
    pub overruns: u64,
}

/// A call's audio; it runs from its start until it is dropped.
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
    /// Starts the audio. `packets` gets the packets to be sent, every 20 ms during speech; `events` gets the events.
    /// Neither may block. Devices are opened asynchronously, with events on the result.
    ///
    /// # Errors
    /// Returns an error if no thread can be started or memory is exhausted.
    pub fn start(
        options: &Options,
        devices: impl Devices + 'static,
        packets: impl FnMut(Packet) + Send + 'static,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let began = Instant::now();
        let (mut engine, ManualDriver { mut keeper, mut worker, orders, .. }) =
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
                    // The receiver may be gone.
                    Ok(DeviceOrder::Names(direction, answer)) => drop(answer.send(keeper.names(direction))),
                    Ok(DeviceOrder::Close) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        })?;
        engine.threads.push(keep);
        Ok(engine)
    }

    /// Starts the audio without threads: it works only in calls of the returned driver, with the driver's time.
    ///
    /// # Errors
    /// Returns an error as `start` does.
    pub fn in_hand(
        options: &Options,
        devices: impl Devices + 'static,
        packets: impl FnMut(Packet) + Send + 'static,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<(Self, ManualDriver)> {
        let clock = Clock::Held(Arc::default());
        Self::build(options, Box::new(devices), Box::new(packets), Arc::new(events), clock)
    }

    fn build(
        options: &Options,
        devices: Box<dyn Devices>,
        packets: Box<dyn FnMut(Packet) + Send>,
        events: Arc<dyn Fn(Event) + Send + Sync>,
        clock: Clock,
    ) -> io::Result<(Self, ManualDriver)> {
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
        let keeper = Supervisor::new(devices, wake.clone(), choice, hand_over, events);
        let engine = Self {
            orders,
            devices: device_orders,
            statistics,
            speaking: Mutex::new(options.speaking),
            clock: clock.clone(),
            threads: Vec::new(),
            wake,
        };
        Ok((engine, ManualDriver { keeper, worker, orders: device_inbox, clock }))
    }

    /// Receives a packet.
    pub fn receive(&self, packet: Packet) {
        self.order(Order::Packet(packet, self.clock.now()));
    }

    /// Mutes or unmutes the microphone.
    pub fn set_muted(&self, muted: bool) {
        self.speak(|speaking| speaking.muted = muted);
    }

    /// Switches push-to-talk.
    pub fn set_push_to_talk(&self, on: bool) {
        self.speak(|speaking| speaking.push_to_talk = on);
    }

    /// Sets whether the push-to-talk button is held.
    pub fn hold(&self, held: bool) {
        self.speak(|speaking| speaking.held = held);
    }

    /// The settings for whether the microphone's sound is sent.
    pub fn speaking(&self) -> Speaking {
        *self.speaking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the playback volume, 0 to 1.
    pub fn set_volume(&self, volume: f32) {
        if volume.is_finite() {
            self.order(Order::Volume(volume.clamp(0.0, 1.0)));
        }
    }

    /// Sets the loss rate of sent packets, 0 to 1, as the other side last reported it.
    pub fn expect_loss(&self, loss: f32) {
        self.order(Order::Loss(loss));
    }

    /// Chooses another device; `None` is the system's default. The result is sent as an event.
    pub fn choose(&self, direction: Direction, name: Option<String>) {
        drop(self.devices.send(DeviceOrder::Choose(direction, name)));
    }

    /// Lists the devices in a direction. Takes some 100 ms at most; empty on failure.
    pub fn devices(&self, direction: Direction) -> Vec<String> {
        let (answer, names) = channel();
        drop(self.devices.send(DeviceOrder::Names(direction, answer)));
        names.recv_timeout(Duration::from_secs(2)).unwrap_or_default()
    }

    /// The statistics, at most 50 ms old.
    pub fn statistics(&self) -> Statistics {
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn speak(&self, change: impl FnOnce(&mut Speaking)) {
        let mut speaking = self.speaking.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut speaking);
        self.order(Order::Speaking(*speaking));
    }

    fn order(&self, order: Order) {
        // The worker is gone if the engine or its driver is dropped.
        drop(self.orders.send(order));
    }
}

impl Drop for AudioEngine {
    fn drop(&mut self) {
        self.order(Order::Close);
        drop(self.devices.send(DeviceOrder::Close));
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A callback may drop the last handle on its own thread, which can't join itself; it ends by itself.
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

/// The driver of an engine without threads.
pub struct ManualDriver {
    keeper: Supervisor,
    worker: Worker,
    orders: std::sync::mpsc::Receiver<DeviceOrder>,
    clock: Clock,
}

impl ManualDriver {
    /// Does all work that is due at `now`, the time since the engine's start.
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

impl fmt::Debug for ManualDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hand").finish_non_exhaustive()
    }
}

/// The time since the engine's start.
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
