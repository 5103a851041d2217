//! Simulated devices with a clock that a test controls: a call of minutes takes a second, and is reproducible.
//!
//! They can be plugged in and out, and their clocks can drift as real ones do.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Capturing, Devices, Direction, OpenDevice, Playing, Sink, Source, Wake, capture, playback};

/// The parameters of a simulated device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockedDevice {
    /// Frames per second by its own clock.
    pub rate: u32,
    /// The number of channels.
    pub channels: u16,
    /// The number of frames per callback.
    pub period: u32,
    /// The clock's deviation in millionths; positive is fast.
    pub ppm: i32,
}

impl Default for ClockedDevice {
    /// A good device: 48 kHz, periods of 10 ms.
    fn default() -> Self {
        Self { rate: 48_000, channels: 1, period: 480, ppm: 0 }
    }
}

/// The devices of a simulated machine. The first that was plugged in is the default.
#[derive(Clone, Default)]
pub struct ClockedDevices(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    plugged: Vec<(Direction, String, ClockedDevice)>,
    running: BTreeMap<u64, Running>,
    opened: u64,
    /// The microphones' pending input, the loudspeakers' output (one channel), and the present time.
    said: VecDeque<f32>,
    heard: Vec<f32>,
    now: Duration,
}

struct Running {
    name: String,
    device: ClockedDevice,
    /// The number of periods that have passed.
    periods: u64,
    since: Duration,
    end: End,
}

enum End {
    Input(Capturing),
    Output(Playing),
}

impl ClockedDevices {
    /// Plugs in a device.
    pub fn plug(&self, direction: Direction, name: &str, device: ClockedDevice) {
        self.lock().plugged.push((direction, name.to_owned(), device));
    }

    /// Unplugs a device.
    pub fn unplug(&self, direction: Direction, name: &str) {
        let mut state = self.lock();
        state.plugged.retain(|(d, n, _)| (*d, n.as_str()) != (direction, name));
        state.running.retain(|_, running| running.name != name || running.direction() != direction);
    }

    /// Queues samples as the microphones' input, at their rate.
    pub fn say(&self, samples: &[f32]) {
        self.lock().said.extend(samples);
    }

    /// Takes the loudspeakers' output since the last call: at the device's rate, one channel.
    pub fn heard(&self) -> Vec<f32> {
        std::mem::take(&mut self.lock().heard)
    }

    /// Advances the time: each running device makes its callbacks that are due.
    pub fn advance(&self, now: Duration) {
        let mut state = self.lock();
        let State { running, said, heard, .. } = &mut *state;
        for running in running.values_mut() {
            running.run(now, said, heard);
        }
        state.now = now;
    }

    fn open(&self, direction: Direction, name: Option<&str>) -> Result<(String, ClockedDevice), String> {
        let state = self.lock();
        let found = state.plugged.iter().find(|(d, n, _)| *d == direction && name.is_none_or(|name| name == n));
        found.map(|(_, name, device)| (name.clone(), *device)).ok_or_else(|| "There is no such device.".to_owned())
    }

    fn begin(&self, name: String, device: ClockedDevice, end: End) -> Box<dyn OpenDevice> {
        let mut state = self.lock();
        state.opened += 1;
        let (number, since) = (state.opened, state.now);
        state.running.insert(number, Running { name: name.clone(), device, periods: 0, since, end });
        Box::new(Opened { all: self.clone(), number, name })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Devices for ClockedDevices {
    fn names(&mut self, direction: Direction) -> Vec<String> {
        self.lock().plugged.iter().filter(|(d, ..)| *d == direction).map(|(_, name, _)| name.clone()).collect()
    }

    fn open_input(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Source), String> {
        let (name, device) = self.open(Direction::Input, name)?;
        let (capturing, source) = capture(device.rate, device.channels, wake)?;
        Ok((self.begin(name, device, End::Input(capturing)), source))
    }

    fn open_output(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Sink), String> {
        let (name, device) = self.open(Direction::Output, name)?;
        let (playing, sink) = playback(device.rate, device.channels, device.period, wake)?;
        Ok((self.begin(name, device, End::Output(playing)), sink))
    }
}

impl Running {
    fn direction(&self) -> Direction {
        match self.end {
            End::Input(_) => Direction::Input,
            End::Output(_) => Direction::Output,
        }
    }

    fn run(&mut self, now: Duration, said: &mut VecDeque<f32>, heard: &mut Vec<f32>) {
        let rate = i128::from(self.device.rate) * (1_000_000 + i128::from(self.device.ppm)) / 1_000;
        let micros = i128::try_from(now.saturating_sub(self.since).as_micros()).unwrap_or(0);
        let due = micros * rate / 1_000_000_000 / i128::from(self.device.period.max(1));
        while i128::from(self.periods) < due {
            self.periods += 1;
            let frames = usize::try_from(self.device.period).unwrap_or(0);
            let channels = usize::from(self.device.channels);
            // The device buffers one period.
            let latency =
                Duration::from_micros(u64::from(self.device.period) * 1_000_000 / u64::from(self.device.rate));
            match &mut self.end {
                End::Input(capturing) => {
                    let frames: Vec<f32> = (0..frames)
                        .flat_map(|_| std::iter::repeat_n(said.pop_front().unwrap_or(0.0), channels))
                        .collect();
                    capturing.take(&frames, latency);
                }
                End::Output(playing) => {
                    let mut samples = vec![0.0_f32; frames * channels];
                    playing.fill(&mut samples, latency);
                    heard.extend(samples.chunks_exact(channels).map(|frame| frame[0]));
                }
            }
        }
    }
}

struct Opened {
    all: ClockedDevices,
    number: u64,
    name: String,
}

impl OpenDevice for Opened {
    fn name(&self) -> &str {
        &self.name
    }

    fn fault(&mut self, _now: Duration) -> Option<String> {
        (!self.all.lock().running.contains_key(&self.number)).then(|| "The sound device was pulled out.".to_owned())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.all.lock().running.remove(&self.number);
    }
}

impl fmt::Debug for ClockedDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockedDevices").finish_non_exhaustive()
    }
}
