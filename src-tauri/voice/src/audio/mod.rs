//! A call's audio: from the microphone to packets, and from packets to the loudspeaker.
//!
//! ```text
//! microphone ─ take ─▷ ring ─▷ 48 kHz ─▷ echo, noise, gain ─▷ mute ─▷ Opus ─▷ Packet
//!                                          △ what was played
//! loudspeaker ◁ fill ─ ring ◁─ rate ◁─ volume ◁─ stretch ◁─ Opus ◁─ jitter buffer ◁─ Packet
//! ```
//!
//! There are three kinds of threads: the devices' own, which never wait ([`device`]); the worker, which does all
//! processing and is woken by them; and the supervisor, which opens devices, since that is slow. The worker gets the
//! time as an argument, so a test can run whole calls faster than real time ([`AudioEngine::in_hand`] with
//! [`device::ClockedDevices`]).
//!
//! - [`AudioEngine`]: the handle
//! - `worker`, `keeper`: the worker and the supervisor
//! - `processing`: echo cancellation, noise suppression, gain control
//! - `codec`, `jitter`, `receiver`: Opus, and compensation for the network
//! - `clocks`, `resample`, `level`: timing without a device, resampling, metering and gain
//! - [`speech`]: a synthetic speech signal for tests
//!
//! This module has no network code and no call state.

mod clocks;
mod codec;
pub mod device;
mod engine;
mod jitter;
mod level;
mod processing;
mod receiver;
mod resample;
pub mod speech;
mod supervisor;
mod worker;

pub use codec::{CodecError, Encoder};
pub use device::{Devices, Direction, SystemDevices};
pub use engine::{AudioEngine, DeviceState, Event, Levels, ManualDriver, Options, Speaking, Statistics};
pub use jitter::{Counts, JitterBuffer, MS, Pace, Step, Ticks};
pub use level::SILENCE_DBFS;
pub use processing::Treatment;
pub use receiver::{Receiver, Reception};

/// The internal sample rate; other rates are converted at the devices.
pub const RATE: u32 = 48_000;
/// Samples in a processing block: 10 ms.
pub const BLOCK: usize = 480;
/// Samples in a packet: 20 ms.
pub const FRAME: usize = 960;
