//! A call's sound.

mod codec;
mod jitter;
mod processing;
mod receiver;
mod speech;

/// Samples a second inside: what devices have is converted.
pub const RATE: u32 = 48_000;
/// What is processed at once: 10 ms.
pub const BLOCK: usize = 480;
/// What a packet carries: 20 ms.
pub const FRAME: usize = 960;
