//! The jitter buffer: brings packets into their order and time again, and decides what is heard when one is missing.
//!
//! Pure: time comes in with every call, in samples of 48 kHz since any beginning, and nothing is decoded here.
//!
//! - `numbers`: sequences and timestamps that wrap around
//! - `depth`: how deep the buffer has to be, by how irregularly packets came
//! - `buffer`: what is kept, and what comes next
//! - `stretch`: how decoded sound is made longer or shorter by a pitch period, so that the depth follows

mod buffer;
mod depth;
mod numbers;
mod stretch;

pub use buffer::{Counts, JitterBuffer, Pace, Step};
pub(super) use stretch::{lengthen, shorten};

/// A moment or a time span in samples of 48 kHz.
pub type Ticks = i64;

/// So many [`Ticks`] are a millisecond.
pub const MS: Ticks = 48;
