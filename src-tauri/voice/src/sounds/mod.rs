//! Playback of alerts, call tones and guests' messages on this device's loudspeaker.
//!
//! A [`Bell`] is given the full set of ringing requests; a thread of its own plays the sound, and reports the result:
//! that a device took the samples, or the reason why none does.
//!
//! - `bell`: the handle, and its message types
//! - `keeper`: the supervisor thread, which keeps the device open and reports
//! - `output`: the device
//! - `program`: the source that the device pulls samples from, in its own thread
//! - `pattern`, `call_tone`: the synthesised sounds
//! - `message`: a decoded recording
//! - `rehearsal`: playback without a device, for tests
//!
//! The decision on what rings is made in `crewbell-core`.

mod bell;
mod call_tone;
mod message;
mod output;
mod pattern;
mod program;
mod rehearsal;
mod supervisor;

pub use bell::{Bell, Report, Ringing};
pub use call_tone::CallTone;
pub use rehearsal::Rehearsal;
