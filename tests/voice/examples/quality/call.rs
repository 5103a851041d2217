//! A call in simulated time: two engines, two pairs of devices, and a simulated network between them.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use crewbell_voice::{
    Packet,
    audio::{
        AudioEngine, DeviceState, Direction, Event, ManualDriver, Options, Statistics,
        device::{ClockedDevice, ClockedDevices},
    },
};

/// Step of the engines: as often as devices wake them, and a little more.
const TICK: Duration = Duration::from_millis(1);
/// Interval at which the listener's losses are reported to the speaker, as by RTCP.
const REPORT: Duration = Duration::from_secs(1);

/// Network conditions; deterministic for a seed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// Packet loss in percent.
    pub loss: u32,
    /// Maximum extra delay in milliseconds; packets can overtake each other.
    pub jitter_ms: u32,
    /// Duplicated packets in percent.
    pub doubled: u32,
    /// Start and length of an outage in milliseconds.
    pub outage_ms: Option<(u64, u64)>,
    pub seed: u32,
}

impl Network {
    /// Returns the delay of each copy of a packet that is sent at `now`; empty if it is lost.
    fn delays(&mut self, now: Duration) -> Vec<Duration> {
        let ms = u64::try_from(now.as_millis()).unwrap_or(0);
        let out = self.outage_ms.is_some_and(|(from, length)| (from..from + length).contains(&ms));
        // All values are always drawn, so that networks of the same seed lose the same packets.
        let (lost, again) = (self.chance(100) < self.loss, self.chance(100) < self.doubled);
        let (one, two) = (self.chance(self.jitter_ms + 1), self.chance(self.jitter_ms + 1));
        let times = if lost || out { 0 } else { 1 + usize::from(again) };
        [one, two].into_iter().take(times).map(|jitter| Duration::from_millis(1 + u64::from(jitter))).collect()
    }

    fn chance(&mut self, below: u32) -> u32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.seed >> 8) % below
    }
}

/// One of the two people.
pub struct Person {
    pub engine: AudioEngine,
    pub devices: ClockedDevices,
    /// All events of the engine.
    pub events: Arc<Mutex<Vec<Event>>>,
    hand: ManualDriver,
    sent: Arc<Mutex<Vec<Packet>>>,
}

impl Person {
    /// Creates a person with the given devices, named "microphone" and "speaker".
    pub fn new(options: &Options, input: Option<ClockedDevice>, output: Option<ClockedDevice>) -> Result<Self> {
        let devices = ClockedDevices::default();
        for (direction, name, device) in
            [(Direction::Input, "microphone", input), (Direction::Output, "speaker", output)]
        {
            if let Some(device) = device {
                devices.plug(direction, name, device);
            }
        }
        let (sent, events) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (theirs, told) = (sent.clone(), events.clone());
        let send = move |packet| theirs.lock().unwrap_or_else(PoisonError::into_inner).push(packet);
        let tell = move |event| told.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        let (engine, hand) = AudioEngine::in_hand(options, devices.clone(), send, tell)?;
        Ok(Self { engine, devices, events, hand, sent })
    }

    fn step(&mut self, now: Duration) -> Vec<Packet> {
        self.devices.advance(now);
        self.hand.step(now);
        std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Two people, and the packets in flight between them.
pub struct Call {
    pub speaker: Person,
    pub listener: Person,
    /// The network from the speaker to the listener. The opposite direction is perfect.
    pub network: Network,
    pub now: Duration,
    on_its_way: BTreeMap<(Duration, u32), Packet>,
    sent: u32,
    reported: (Duration, u64, u64),
}

impl Call {
    pub fn new(speaker: Person, listener: Person, network: Network) -> Self {
        let reported = (Duration::ZERO, 0, 0);
        Self { speaker, listener, network, now: Duration::ZERO, on_its_way: BTreeMap::new(), sent: 0, reported }
    }

    /// Advances the call by a duration.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += TICK;
            for packet in self.speaker.step(self.now) {
                for delay in self.network.delays(self.now) {
                    self.sent += 1;
                    self.on_its_way.insert((self.now + delay, self.sent), packet.clone());
                }
            }
            while let Some(first) = self.on_its_way.first_entry().filter(|first| first.key().0 <= self.now) {
                self.listener.engine.receive(first.remove());
            }
            // The listener's packets, which are silence, go straight to the speaker.
            for packet in self.listener.step(self.now) {
                self.speaker.engine.receive(packet);
            }
            if self.now >= self.reported.0 + REPORT {
                self.report();
            }
        }
    }

    fn report(&mut self) {
        let counts = self.listener.engine.statistics().reception.counts;
        let (_, lost_before, played_before) = self.reported;
        let (lost, played) = (counts.lost.saturating_sub(lost_before), counts.played - played_before);
        if lost + played > 0 {
            #[expect(clippy::cast_precision_loss, reason = "some fifty packets")]
            self.speaker.engine.expect_loss(lost as f32 / (lost + played) as f32);
        }
        self.reported = (self.now, counts.lost, counts.played);
    }
}

/// The result of a call.
pub struct Heard {
    pub samples: Vec<f32>,
    pub statistics: Statistics,
    /// Share of a core that the call took, as seconds per second.
    pub cost: f64,
}

/// Plays `said` over a network with good devices, and listens for a second more.
pub fn say(said: &[f32], network: Network, options: &Options) -> Result<Heard> {
    let began = worked();
    let good = ClockedDevice::default();
    let mut call = Call::new(
        Person::new(options, Some(good), Some(good))?,
        Person::new(options, Some(good), Some(good))?,
        network,
    );
    call.speaker.devices.say(said);
    call.run(Duration::from_millis(u64::try_from(said.len()).unwrap_or(0) / 48 + 1_000));
    let told = call.listener.events.lock().unwrap_or_else(PoisonError::into_inner);
    let missing = |event: &Event| matches!(event, Event::Output(DeviceState::Missing { .. }));
    ensure!(!told.iter().any(missing), "nothing can be heard without a loudspeaker");
    drop(told);
    Ok(Heard {
        samples: call.listener.devices.heard(),
        statistics: call.listener.engine.statistics(),
        cost: worked().saturating_sub(began).as_secs_f64() / call.now.as_secs_f64(),
    })
}

/// Returns the processor time of this thread, or the wall-clock time where the system doesn't report it.
fn worked() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let nanoseconds = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = nanoseconds.as_deref().and_then(|line| line.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}
