//! The output device: always the system's default.
//!
//! It stays open in silence: waking a device takes longer than a guest should wait, and a lost one is noticed in
//! advance. During sound its buffer is two periods of 20 ms: an alert is audible at most 40 ms after its first sample
//! was pulled, and a busy tablet keeps up (at 10 ms it doesn't always). An idle device has periods of half a second,
//! because silence fifty times a second would keep a tablet awake day and night. A device without such periods is used
//! with its own.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cpal::{
    BufferSize, ErrorKind,
    traits::{DeviceTrait, HostTrait},
};
use rodio::{DeviceSinkBuilder, MixerDeviceSink, stream::DeviceSinkError};

use super::{
    bell::{Inbox, Order},
    program::{Stage, program},
};

/// The time without pulled samples after which a device has failed. Far longer than any buffer, and than a busy machine
/// hangs.
const STALLED: Duration = Duration::from_secs(2);
/// The same for a device that reports errors; if idle, a period and a half.
const DOUBT: Duration = Duration::from_millis(150);
/// The same for a device that reports an error after each period that it pulls: temporary errors are over by then.
const IN_VAIN: Duration = Duration::from_secs(1);

/// The length of the device's periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    /// Short periods: something sounds, or is about to.
    Short,
    /// Long periods: the device is idle.
    Long,
}

impl Period {
    fn time(self) -> Duration {
        Duration::from_millis(match self {
            Self::Short => 20,
            Self::Long => 500,
        })
    }

    /// The length in samples at a rate.
    fn samples(self, rate: NonZero<u32>) -> u32 {
        let samples = u128::from(rate.get()) * self.time().as_millis() / 1000;
        u32::try_from(samples).unwrap_or(u32::MAX).max(1)
    }
}

/// An open device; closed on drop.
pub(super) struct Output {
    pub(super) number: u64,
    pub(super) rate: u32,
    pub(super) period: Period,
    pub(super) stage: Stage,
    pulled: Arc<AtomicU64>,
    pub(super) opened: Instant,
    seen: (u64, Instant),
    _sink: MixerDeviceSink,
}

impl Output {
    /// Opens the default output device. Takes some 10 ms, or as long as the sound server takes to answer.
    ///
    /// # Errors
    /// Returns the reason, fit to show, if it can't be opened.
    pub(super) fn open(number: u64, period: Period, inbox: &Inbox) -> Result<Self, String> {
        // Redirects ALSA's error messages to a buffer and empties it; otherwise ALSA prints a line for each missing
        // device.
        #[cfg(target_os = "linux")]
        drop(alsa::Output::local_error_handler());
        let host = cpal::default_host();
        let device = host.default_output_device().ok_or("There is no sound output on this device.")?;
        let config = device.default_output_config().map_err(|error| in_words(&error))?;
        let rate = NonZero::new(config.sample_rate()).ok_or("The sound output has no sample rate.")?;
        let (program, stage) = program(rate, inbox.wake.clone());
        let pulled = stage.pulled();
        let open = |buffer| {
            let (inbox, mut doubt) = (inbox.clone(), Doubt::new(pulled.clone(), rate, period));
            DeviceSinkBuilder::from_device(device.clone())?
                .with_supported_config(&config)
                .with_buffer_size(buffer)
                .with_error_callback(move |error| {
                    if doubt.is_justified(error.kind()) {
                        inbox.send(Order::Lost(number, in_words(&error)));
                    }
                })
                .open_stream()
        };
        let mut sink = open(BufferSize::Fixed(period.samples(rate)))
            .or_else(|error| if is_unsupported(&error) { open(BufferSize::Default) } else { Err(error) })
            .map_err(|error| sink_in_words(&error))?;
        sink.log_on_drop(false);
        sink.mixer().add(program);
        let now = Instant::now();
        Ok(Self { number, rate: rate.get(), period, stage, pulled, opened: now, seen: (0, now), _sink: sink })
    }

    /// The reason why it has failed without reporting an error; to be polled every second or so.
    pub(super) fn fault(&mut self) -> Option<String> {
        let (pulled, now) = (self.pulled.load(Ordering::Relaxed), Instant::now());
        if pulled != self.seen.0 {
            self.seen = (pulled, now);
        }
        if now - self.seen.1 > STALLED {
            return Some("The sound output has stopped taking sound.".to_owned());
        }
        // A real device pulls in real time. ALSA's `null` device pulls faster.
        let in_time = u128::from(self.rate) * (now - self.opened).as_millis() / 1000;
        (u128::from(pulled) > 4 * in_time + 4 * u128::from(self.rate))
            .then(|| "The sound output is a null device: it swallows all sound.".to_owned())
    }
}

/// Detects whether a device that reports errors is lost. ALSA's plugin for `PulseAudio` reports some temporary errors;
/// if its device is gone it still pulls samples, and reports an error each time.
struct Doubt {
    pulled: Arc<AtomicU64>,
    /// One and a quarter periods, in samples.
    one_period: u64,
    /// The time without pulled samples after which it is lost.
    patience: Duration,
    /// The number of pulled samples at the last error.
    before: u64,
    /// The number of pulled samples and the time at the first of a series of errors.
    since: Option<(u64, Instant)>,
}

impl Doubt {
    fn new(pulled: Arc<AtomicU64>, rate: NonZero<u32>, period: Period) -> Self {
        let (one_period, patience) = (u64::from(period.samples(rate)) * 5 / 4, DOUBT.max(period.time() * 3 / 2));
        Self { pulled, one_period, patience, before: 0, since: None }
    }

    /// Whether an error means that the device is lost. Called in the device's thread.
    fn is_justified(&mut self, kind: ErrorKind) -> bool {
        // A gap in the sound, or another device in its place.
        if matches!(kind, ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied) {
            return false;
        }
        if matches!(kind, ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated) {
            return true;
        }
        let (pulled, now) = (self.pulled.load(Ordering::Relaxed), Instant::now());
        let trouble = self.since.filter(|_| pulled - self.before <= self.one_period);
        let (begun_at, since) = trouble.unwrap_or((pulled, now));
        (self.before, self.since) = (pulled, Some((begun_at, since)));
        if trouble.is_some() {
            // The device's thread would retry without a pause.
            thread::sleep(Duration::from_millis(2));
        }
        now - since > if pulled == begun_at { self.patience } else { IN_VAIN }
    }
}

fn is_unsupported(error: &DeviceSinkError) -> bool {
    matches!(error, DeviceSinkError::BuildError(error) if error.kind() == ErrorKind::UnsupportedConfig)
}

fn sink_in_words(error: &DeviceSinkError) -> String {
    match error {
        DeviceSinkError::PlayError(error)
        | DeviceSinkError::DefaultSinkConfigError(error)
        | DeviceSinkError::BuildError(error)
        | DeviceSinkError::SupportedConfigsError(error) => in_words(error),
        DeviceSinkError::NoDevice => "There is no sound output on this device.".to_owned(),
        DeviceSinkError::UnsupportedSampleFormat => {
            "The sound output wants samples of a kind that we can't make.".to_owned()
        }
    }
}

fn in_words(error: &cpal::Error) -> String {
    tracing::debug!(%error, "the sound output failed");
    let kind = error.kind();
    let what = if matches!(kind, ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable) {
        "There is no sound output on this device."
    } else if kind == ErrorKind::DeviceBusy {
        "Another program has the sound output to itself."
    } else if kind == ErrorKind::PermissionDenied {
        "This app may not use the sound output."
    } else {
        "The sound output has failed."
    };
    what.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: NonZero<u32> = NonZero::new(48_000).unwrap();

    #[test]
    fn fault_that_passes_is_no_loss_and_one_that_stays_is() {
        let pulled = Arc::new(AtomicU64::new(0));
        let mut doubt = Doubt::new(pulled.clone(), RATE, Period::Short);
        let began = Instant::now();
        while began.elapsed() < 2 * DOUBT {
            assert!(!doubt.is_justified(ErrorKind::BackendError));
            thread::yield_now();
            pulled.fetch_add(9_600, Ordering::Relaxed);
        }
        for in_vain in [0, 960] {
            let began = Instant::now();
            while !doubt.is_justified(ErrorKind::BackendError) {
                pulled.fetch_add(in_vain, Ordering::Relaxed);
                assert!(began.elapsed() < Duration::from_secs(30));
            }
            assert!(began.elapsed() >= DOUBT);
            pulled.fetch_add(9_600, Ordering::Relaxed);
        }
    }

    #[test]
    fn unplugged_device_is_lost_at_once_and_a_gap_is_no_loss() {
        let mut doubt = Doubt::new(Arc::default(), RATE, Period::Long);
        assert!(doubt.is_justified(ErrorKind::DeviceNotAvailable));
        assert!(!doubt.is_justified(ErrorKind::Xrun));
    }
}
