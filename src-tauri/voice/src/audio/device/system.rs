//! The devices of this machine, through cpal.
//!
//! A device is asked for periods of 10 ms, of which it buffers two: samples that aren't read or written within 20 ms
//! are a gap. If gaps are frequent (a busy machine, `PulseAudio` behind ALSA, which recovers from each only after some
//! 50 ms), it is opened again with 20 ms, and then 40 ms. A device without such periods is used with its own.
//!
//! On Linux cpal lists the microphones and their capabilities; the samples are read by `microphone`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use cpal::{
    BufferSize, Device, ErrorKind, FromSample, I24, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedStreamConfig,
    traits::{DeviceTrait, HostTrait, StreamTrait},
};

#[cfg(target_os = "linux")]
use super::microphone::Microphone;
use super::{Devices, Direction, OpenDevice, Sink, Source, Wake, capture, ends::Flow, playback};
use crate::audio::RATE;

/// Time limit without a callback, after which a device is replaced. Far longer than any buffer: `PulseAudio`'s plugin
/// for ALSA reports nothing when its device goes.
const STALLED: Duration = Duration::from_secs(1);
/// The same for a device that has just been opened: some start slowly.
const STARTING: Duration = Duration::from_secs(2);
/// Time limit without a callback for a device that reports errors.
const DOUBT: Duration = Duration::from_millis(150);
/// The number of gaps in an interval that is too many.
const GAPS: u32 = 3;
const GAPS_IN: Duration = Duration::from_secs(10);
/// The range of periods that are tried, in milliseconds.
const SHORTEST_MS: u32 = 10;
const LONGEST_MS: u32 = 40;
/// ALSA device names that are hidden: raw hardware, which other programs need too, and plugins that are no devices.
const NO_DEVICES: [&str; 12] = [
    "null",
    "hw",
    "plughw",
    "sysdefault",
    "lavrate",
    "samplerate",
    "speexrate",
    "speex",
    "jack",
    "oss",
    "upmix",
    "vdownmix",
];

/// The devices that cpal finds.
#[derive(Debug)]
pub struct SystemDevices {
    /// The periods to request for microphones and for loudspeakers, in milliseconds; they grow when gaps are frequent.
    input_ms: Arc<AtomicU32>,
    output_ms: Arc<AtomicU32>,
}

impl Default for SystemDevices {
    fn default() -> Self {
        let period = || Arc::new(AtomicU32::new(SHORTEST_MS));
        Self { input_ms: period(), output_ms: period() }
    }
}

impl Devices for SystemDevices {
    fn names(&mut self, direction: Direction) -> Vec<String> {
        let mut names: Vec<String> = list(direction).map(|device| device.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn open_input(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Source), String> {
        let device = find(Direction::Input, name)?;
        let config = best_config(&device, Direction::Input)?;
        let mut opened = Err(NONE_FITS.to_owned());
        for buffer in buffers(config.sample_rate(), &self.input_ms) {
            let plan = StreamConfig { buffer_size: buffer, ..config.config() };
            opened = input_stream(&device, plan, config.sample_format(), wake);
            if opened.is_ok() {
                break;
            }
        }
        let (stream, source, flow, fault) = opened?;
        Ok((Box::new(Opened::new(device.to_string(), stream, flow, fault, self.input_ms.clone())), source))
    }

    fn open_output(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Sink), String> {
        let device = find(Direction::Output, name)?;
        let config = best_config(&device, Direction::Output)?;
        let mut opened = Err(NONE_FITS.to_owned());
        for buffer in buffers(config.sample_rate(), &self.output_ms) {
            let plan = StreamConfig { buffer_size: buffer, ..config.config() };
            opened = output_stream(&device, plan, config.sample_format(), wake);
            if opened.is_ok() {
                break;
            }
        }
        let (stream, sink, flow, fault) = opened?;
        Ok((Box::new(Opened::new(device.to_string(), stream, flow, fault, self.output_ms.clone())), sink))
    }
}

const NONE_FITS: &str = "The sound device has no format that we can use.";

fn list(direction: Direction) -> impl Iterator<Item = Device> {
    hush();
    let devices = cpal::default_host().devices().into_iter().flatten();
    devices.filter(move |device| {
        let id = device.id().map(|id| id.id().to_owned()).unwrap_or_default();
        let plugin = id.split(':').next().unwrap_or_default();
        let is_device = !(cfg!(target_os = "linux") && NO_DEVICES.contains(&plugin));
        is_device
            && match direction {
                Direction::Input => device.supports_input(),
                Direction::Output => device.supports_output(),
            }
    })
}

fn find(direction: Direction, name: Option<&str>) -> Result<Device, String> {
    hush();
    let host = cpal::default_host();
    let found = match (name, direction) {
        (Some(name), _) => list(direction).find(|device| device.to_string() == name),
        (None, Direction::Input) => host.default_input_device(),
        (None, Direction::Output) => host.default_output_device(),
    };
    found.ok_or_else(|| in_words(ErrorKind::DeviceNotAvailable, direction))
}

/// Redirects ALSA's error messages to a buffer and empties it; otherwise ALSA prints a line for each missing device.
fn hush() {
    #[cfg(target_os = "linux")]
    drop(alsa::Output::local_error_handler());
}

/// The device's default configuration, at 48 kHz if possible, which saves the resampling delay.
fn best_config(device: &Device, direction: Direction) -> Result<SupportedStreamConfig, String> {
    let said = |error: cpal::Error| in_words(error.kind(), direction);
    let own = match direction {
        Direction::Input => device.default_input_config().map_err(said)?,
        Direction::Output => device.default_output_config().map_err(said)?,
    };
    if own.sample_rate() == RATE {
        return Ok(own);
    }
    let ranges: Vec<_> = match direction {
        Direction::Input => device.supported_input_configs().map_err(said)?.collect(),
        Direction::Output => device.supported_output_configs().map_err(said)?.collect(),
    };
    let alike = ranges.into_iter().find(|range| {
        range.channels() == own.channels()
            && range.sample_format() == own.sample_format()
            && (range.min_sample_rate()..=range.max_sample_rate()).contains(&RATE)
    });
    Ok(alike.map_or(own, |range| range.with_sample_rate(RATE)))
}

/// The buffer sizes to try, in order.
fn buffers(rate: u32, period_ms: &AtomicU32) -> [BufferSize; 3] {
    let frames = rate * period_ms.load(Ordering::Relaxed) / 1_000;
    [BufferSize::Fixed(frames.max(1)), BufferSize::Fixed((2 * frames).max(1)), BufferSize::Default]
}

type Begun<E> = Result<(Running, E, Arc<Flow>, Arc<Fault>), String>;

#[expect(clippy::wildcard_enum_match_arm, reason = "what we have no samples for, and what cpal has none for yet")]
#[cfg(not(target_os = "linux"))]
fn input_stream(device: &Device, plan: StreamConfig, format: SampleFormat, wake: &Wake) -> Begun<Source> {
    match format {
        SampleFormat::I8 => input_of::<i8>(device, plan, wake),
        SampleFormat::U8 => input_of::<u8>(device, plan, wake),
        SampleFormat::I16 => input_of::<i16>(device, plan, wake),
        SampleFormat::U16 => input_of::<u16>(device, plan, wake),
        SampleFormat::I24 => input_of::<I24>(device, plan, wake),
        SampleFormat::I32 => input_of::<i32>(device, plan, wake),
        SampleFormat::F32 => input_of::<f32>(device, plan, wake),
        SampleFormat::F64 => input_of::<f64>(device, plan, wake),
        _ => Err(NONE_FITS.to_owned()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what we have no samples for, and what cpal has none for yet")]
#[cfg(target_os = "linux")]
fn input_stream(device: &Device, plan: StreamConfig, format: SampleFormat, wake: &Wake) -> Begun<Source> {
    match format {
        SampleFormat::I8 => alsa_input_of::<i8>(device, plan, wake),
        SampleFormat::U8 => alsa_input_of::<u8>(device, plan, wake),
        SampleFormat::I16 => alsa_input_of::<i16>(device, plan, wake),
        SampleFormat::U16 => alsa_input_of::<u16>(device, plan, wake),
        // ALSA's crate has no samples of that kind; sound servers don't use it.
        SampleFormat::I24 => input_of::<I24>(device, plan, wake),
        SampleFormat::I32 => alsa_input_of::<i32>(device, plan, wake),
        SampleFormat::F32 => alsa_input_of::<f32>(device, plan, wake),
        SampleFormat::F64 => alsa_input_of::<f64>(device, plan, wake),
        _ => Err(NONE_FITS.to_owned()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "as for microphones")]
fn output_stream(device: &Device, plan: StreamConfig, format: SampleFormat, wake: &Wake) -> Begun<Sink> {
    match format {
        SampleFormat::I8 => output_of::<i8>(device, plan, wake),
        SampleFormat::U8 => output_of::<u8>(device, plan, wake),
        SampleFormat::I16 => output_of::<i16>(device, plan, wake),
        SampleFormat::U16 => output_of::<u16>(device, plan, wake),
        SampleFormat::I24 => output_of::<I24>(device, plan, wake),
        SampleFormat::I32 => output_of::<i32>(device, plan, wake),
        SampleFormat::F32 => output_of::<f32>(device, plan, wake),
        SampleFormat::F64 => output_of::<f64>(device, plan, wake),
        _ => Err(NONE_FITS.to_owned()),
    }
}

fn input_of<T>(device: &Device, plan: StreamConfig, wake: &Wake) -> Begun<Source>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let (mut capturing, source) = capture(plan.sample_rate, plan.channels, wake)?;
    let (flow, fault) = (capturing.flow(), Arc::new(Fault::default()));
    let take = move |samples: &[T], info: &cpal::InputCallbackInfo| {
        let times = info.timestamp();
        capturing.take(samples, times.callback.duration_since(times.capture));
    };
    let stream = device
        .build_input_stream(plan, take, fault.clone().watch(flow.clone()), None)
        .and_then(|stream| stream.play().map(|()| stream))
        .map_err(|error| in_words(error.kind(), Direction::Input))?;
    Ok((Running::Cpal(stream), source, flow, fault))
}

/// Opens a microphone with the reader of this crate instead of cpal's.
#[cfg(target_os = "linux")]
fn alsa_input_of<T>(device: &Device, plan: StreamConfig, wake: &Wake) -> Begun<Source>
where
    T: SizedSample + alsa::pcm::IoFormat + Default + Send + 'static,
    f32: FromSample<T>,
{
    let (mut capturing, source) = capture(plan.sample_rate, plan.channels, wake)?;
    let (flow, fault) = (capturing.flow(), Arc::new(Fault::default()));
    let take = move |samples: &[T], latency| capturing.take(samples, latency);
    let microphone = device
        .id()
        .and_then(|id| Microphone::open(id.id(), plan, fault.clone(), take))
        .map_err(|error| in_words(error.kind(), Direction::Input))?;
    Ok((Running::Alsa(microphone), source, flow, fault))
}

fn output_of<T>(device: &Device, plan: StreamConfig, wake: &Wake) -> Begun<Sink>
where
    T: SizedSample + FromSample<f32>,
{
    let period = match plan.buffer_size {
        BufferSize::Fixed(frames) => frames,
        // The device may take more at once; that causes one underrun, after which the margin grows.
        BufferSize::Default => plan.sample_rate / 50,
    };
    let (mut playing, sink) = playback(plan.sample_rate, plan.channels, period, wake)?;
    let (flow, fault) = (playing.flow(), Arc::new(Fault::default()));
    let fill = move |samples: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        playing.fill(samples, times.playback.duration_since(times.callback));
    };
    let stream = device
        .build_output_stream(plan, fill, fault.clone().watch(flow.clone()), None)
        .and_then(|stream| stream.play().map(|()| stream))
        .map_err(|error| in_words(error.kind(), Direction::Output))?;
    Ok((Running::Cpal(stream), sink, flow, fault))
}

/// The error state reported by a device's thread.
#[derive(Debug, Default)]
pub(super) struct Fault {
    kind: AtomicU8,
    gaps: AtomicU32,
    /// The number of callbacks that the device reported as failed.
    in_vain: AtomicU64,
}

const DOUBTFUL: u8 = 1;
const LOST: u8 = 2;

impl Fault {
    /// Reports that the device is gone.
    pub(super) fn lose(&self) {
        self.kind.store(LOST, Ordering::Relaxed);
    }

    /// Reports an error that may be temporary.
    pub(super) fn doubt(&self) {
        self.kind.fetch_max(DOUBTFUL, Ordering::Relaxed);
    }

    /// Counts a gap in the sound.
    pub(super) fn count_gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes the error callback. ALSA's plugin for `PulseAudio` reports some temporary errors, repeatedly and without a
    /// pause. If its device is gone it still takes sound, and reports an error after each callback.
    fn watch(self: Arc<Self>, flow: Arc<Flow>) -> impl FnMut(cpal::Error) + Send + 'static {
        let mut before = 0;
        move |error| {
            let kind = error.kind();
            if kind == ErrorKind::Xrun {
                return self.count_gap();
            }
            // The device was replaced, or its thread has no real-time priority.
            if matches!(kind, ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied) {
                return;
            }
            if matches!(kind, ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated)
            {
                return self.lose();
            }
            self.doubt();
            let turns = flow.turns();
            if turns > before {
                self.in_vain.fetch_add(1, Ordering::Relaxed);
            }
            before = turns;
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The number of callbacks without those that failed.
    fn progress(&self, flow: &Flow) -> u64 {
        flow.turns().saturating_sub(self.in_vain.load(Ordering::Relaxed))
    }
}

struct Opened {
    name: String,
    flow: Arc<Flow>,
    fault: Arc<Fault>,
    period_ms: Arc<AtomicU32>,
    seen: Option<(u64, Duration)>,
    /// The number of gaps and the time of the last check.
    judged: (u32, Duration),
    _stream: Running,
}

/// A running stream, which ends on drop.
enum Running {
    Cpal(#[expect(dead_code, reason = "held, not asked")] Stream),
    #[cfg(target_os = "linux")]
    Alsa(#[expect(dead_code, reason = "held, not asked")] Microphone),
}

impl Opened {
    fn new(name: String, stream: Running, flow: Arc<Flow>, fault: Arc<Fault>, period_ms: Arc<AtomicU32>) -> Self {
        Self { name, flow, fault, period_ms, seen: None, judged: (0, Duration::ZERO), _stream: stream }
    }

    /// Whether gaps are so frequent that a longer period is needed; it then applies to the next opening.
    fn is_restless(&mut self, now: Duration) -> bool {
        let gaps = self.fault.gaps.load(Ordering::Relaxed);
        let (before, since) = self.judged;
        let period = self.period_ms.load(Ordering::Relaxed);
        let restless = gaps - before >= GAPS && period < LONGEST_MS;
        if restless {
            self.period_ms.store(period * 2, Ordering::Relaxed);
        }
        if now.saturating_sub(since) > GAPS_IN {
            self.judged = (gaps, now);
        }
        restless
    }
}

impl OpenDevice for Opened {
    fn name(&self) -> &str {
        &self.name
    }

    fn fault(&mut self, now: Duration) -> Option<String> {
        let progress = self.fault.progress(&self.flow);
        let since = match self.seen {
            Some((before, since)) if before == progress => since,
            Some(_) | None => {
                self.seen = Some((progress, now));
                // It made progress, so the error was temporary.
                let _passed = self.fault.kind.compare_exchange(DOUBTFUL, 0, Ordering::Relaxed, Ordering::Relaxed);
                now
            }
        };
        if self.is_restless(now) {
            return Some("The sound device needs longer periods.".to_owned());
        }
        let standing = now.saturating_sub(since);
        let patience = if progress == 0 { STARTING } else { STALLED };
        match self.fault.kind.load(Ordering::Relaxed) {
            LOST => Some("The sound device is gone.".to_owned()),
            DOUBTFUL if standing > DOUBT => Some("The sound device has failed.".to_owned()),
            _ if standing > patience => Some("The sound device has stopped.".to_owned()),
            _ => None,
        }
    }
}

fn in_words(kind: ErrorKind, direction: Direction) -> String {
    tracing::debug!(%kind, ?direction, "a sound device can't be opened");
    let device = match direction {
        Direction::Input => "microphone",
        Direction::Output => "sound output",
    };
    if matches!(kind, ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable) {
        format!("There is no {device} on this device.")
    } else if kind == ErrorKind::DeviceBusy {
        format!("Another program has the {device} to itself.")
    } else if kind == ErrorKind::PermissionDenied {
        format!("This app may not use the {device}.")
    } else {
        format!("The {device} has failed.")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ends::playback, *};

    #[test]
    fn device_that_takes_sound_in_vain_stands_still() {
        let (mut playing, _sink) = playback(RATE, 1, 480, &Wake::default()).unwrap();
        let (flow, fault) = (playing.flow(), Arc::new(Fault::default()));
        let mut says = fault.clone().watch(flow.clone());
        let mut take = || playing.fill(&mut [0.0_f32; 480], Duration::ZERO);
        for _ in 0..10 {
            take();
        }
        let before = fault.progress(&flow);
        for _ in 0..10 {
            take();
            says(ErrorKind::BackendError.into());
            says(ErrorKind::BackendError.into());
        }
        assert_eq!(fault.progress(&flow), before);
        for _ in 0..10 {
            take();
        }
        assert_eq!(fault.progress(&flow), before + 10, "what passes by itself is forgotten");
    }
}
