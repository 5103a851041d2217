//! A microphone through ALSA, with a thread of its own.
//!
//! cpal's thread waits for whole periods. `PulseAudio`'s plugin for ALSA reports readiness as soon as there is any
//! sample; cpal then polls in a loop, and a microphone costs a quarter of a core. This thread reads the available
//! samples, and waits for more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use alsa::{
    Direction, ValueOr,
    pcm::{Access, Frames, HwParams, IO, IoFormat, PCM},
};
use cpal::{BufferSize, Error, ErrorKind, StreamConfig};

use super::system::Fault;

/// Poll timeout in milliseconds, which bounds the time to close a silent microphone.
const PATIENCE_MS: u32 = 50;
/// Retry interval after a false readiness or an error.
const AGAIN: Duration = Duration::from_millis(2);
/// The buffer size in periods. It adds no latency, but prevents losses.
const ROOM: Frames = 8;

/// An open microphone; closed on drop.
pub(super) struct Microphone {
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Microphone {
    /// Opens ALSA's device `id`, and calls `take` with its samples and their time in the device.
    ///
    /// # Errors
    /// Returns ALSA's error, or that no thread can be started.
    pub(super) fn open<T: IoFormat + Default + Send + 'static>(
        id: &str,
        plan: StreamConfig,
        fault: Arc<Fault>,
        take: impl FnMut(&[T], Duration) + Send + 'static,
    ) -> Result<Self, Error> {
        let pcm = PCM::new(id, Direction::Capture, true)?;
        let room = configure::<T>(&pcm, plan)?;
        pcm.start()?;
        let closing = Arc::new(AtomicBool::new(false));
        let (rate, channels) = (plan.sample_rate, usize::from(plan.channels));
        let buffer = vec![T::default(); room * channels];
        let mut reading = Reading { rate, channels, buffer, fault, closing: closing.clone(), take };
        let thread = thread::Builder::new()
            .name("call-microphone".to_owned())
            .spawn(move || reading.run(&pcm))
            .map_err(|error| Error::with_message(ErrorKind::ResourceExhausted, error.to_string()))?;
        Ok(Self { closing, thread: Some(thread) })
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a microphone's thread has failed");
        }
    }
}

/// Configures the device as planned; returns the buffer's capacity in frames.
fn configure<T: IoFormat>(pcm: &PCM, plan: StreamConfig) -> Result<usize, Error> {
    let hardware = HwParams::any(pcm)?;
    hardware.set_access(Access::RWInterleaved)?;
    hardware.set_format(T::FORMAT)?;
    hardware.set_channels(u32::from(plan.channels))?;
    hardware.set_rate(plan.sample_rate, ValueOr::Nearest)?;
    if let BufferSize::Fixed(frames) = plan.buffer_size {
        let period = hardware.set_period_size_near(Frames::from(frames), ValueOr::Nearest)?;
        hardware.set_buffer_size_near(period * ROOM)?;
    }
    pcm.hw_params(&hardware)?;
    let software = pcm.sw_params_current()?;
    software.set_avail_min(hardware.get_period_size()?)?;
    pcm.sw_params(&software)?;
    usize::try_from(hardware.get_buffer_size()?)
        .map_err(|_| Error::with_message(ErrorKind::UnsupportedConfig, "it has no buffer"))
}

/// The state of the reader thread.
struct Reading<T, F> {
    rate: u32,
    channels: usize,
    buffer: Vec<T>,
    fault: Arc<Fault>,
    closing: Arc<AtomicBool>,
    take: F,
}

impl<T: IoFormat, F: FnMut(&[T], Duration)> Reading<T, F> {
    /// Reads until it is closed, or the device is gone.
    fn run(&mut self, pcm: &PCM) {
        let Ok(io) = pcm.io_checked::<T>() else { return self.fault.lose() };
        while !self.closing.load(Ordering::Relaxed) {
            let Err(error) = self.read(pcm, &io) else { continue };
            let kind = Error::from(error).kind();
            if kind == ErrorKind::DeviceNotAvailable {
                return self.fault.lose();
            }
            if kind == ErrorKind::DeviceBusy {
                // It reported readiness, but had no samples.
                thread::sleep(AGAIN);
            } else if pcm.try_recover(error, true).and_then(|()| pcm.start()).is_ok() {
                self.fault.count_gap();
            } else {
                self.fault.doubt();
                thread::sleep(AGAIN);
            }
        }
    }

    /// Waits a limited time for samples, and reads all of them.
    fn read(&mut self, pcm: &PCM, io: &IO<'_, T>) -> alsa::Result<()> {
        if !pcm.wait(Some(PATIENCE_MS))? {
            return Ok(());
        }
        let lying = pcm.delay().unwrap_or(0);
        let frames = io.readi(&mut self.buffer)?;
        let lying = u64::try_from(lying).unwrap_or(0);
        let latency = Duration::from_micros(lying * 1_000_000 / u64::from(self.rate.max(1)));
        (self.take)(&self.buffer[..frames * self.channels], latency);
        Ok(())
    }
}
