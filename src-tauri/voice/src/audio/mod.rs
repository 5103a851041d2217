//! A call's sound: from the microphone to packets, and from packets to the loudspeaker.
//!
//! ```text
//! microphone ─ take ─▷ ring ─▷ 48 kHz ─▷ echo, noise, gain ─▷ mute ─▷ Opus ─▷ Packet
//!                                          △ what was played
//! loudspeaker ◁ fill ─ ring ◁─ rate ◁─ volume ◁─ stretch ◁─ Opus ◁─ jitter buffer ◁─ Packet
//! ```
//!
//! Three kinds of threads: the devices' own, which never wait ([`device`]); the worker, which does all the work and is woken
//! by them; and the keeper, which opens devices, for that takes long. The worker is told how late it is and asks no clock:
//! whole calls run in a test faster than they would ([`AudioEngine::in_hand`] with [`device::ClockedDevices`]).
//!
//! - [`AudioEngine`]: the handle of all that
//! - `worker`, `keeper`: as above
//! - `processing`: echo, noise, loudness
//! - `codec`, `jitter`, `receiver`: Opus, and what networks do to it
//! - `clocks`, `resample`, `level`: time where no device keeps it, and what the other names say
//! - [`speech`]: a signal like speech, made in code, to try all of it on
//!
//! Nothing here knows of a network or of who calls whom.

mod clocks;
mod codec;
pub mod device;
mod engine;
mod jitter;
mod keeper;
mod level;
mod processing;
mod receiver;
mod resample;
pub mod speech;
mod worker;

pub use codec::{CodecError, Encoder};
pub use device::{Devices, Direction, SystemDevices};
pub use engine::{AudioEngine, DeviceState, Event, Hand, Levels, Options, Speaking, Statistics};
pub use jitter::{Counts, JitterBuffer, MS, Pace, Step, Ticks};
pub use level::SILENCE_DBFS;
pub use processing::Treatment;
pub use receiver::{Receiver, Reception};

/// Samples a second inside: what devices have is converted.
pub const RATE: u32 = 48_000;
/// What is processed at once: 10 ms.
pub const BLOCK: usize = 480;
/// What a packet carries: 20 ms.
pub const FRAME: usize = 960;
