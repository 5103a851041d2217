//! The jitter buffer: restores the packets' order and timing, and decides on the concealment of missing ones.
//!
//! It is pure: time is an argument of every call, in samples of 48 kHz since an arbitrary start, and nothing is decoded
//! here.
//!
//! - `numbers`: unwrapping of sequence numbers and timestamps
//! - `depth`: the target delay, from the measured jitter
//! - `buffer`: the packet queue, and the choice of the next step
//! - `stretch`: changes of the duration of decoded sound by a pitch period, which adapt the delay

mod buffer;
mod depth;
mod numbers;
mod stretch;

pub use buffer::{Counts, JitterBuffer, Pace, Step};
pub(super) use stretch::{lengthen, shorten};

/// A time or duration in samples of 48 kHz.
pub type Ticks = i64;

/// The number of [`Ticks`] in a millisecond.
pub const MS: Ticks = 48;
