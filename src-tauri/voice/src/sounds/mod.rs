//! Alerts, calls that ring, and the messages of guests, through this device's loudspeaker.
//!
//! A [`Bell`] is told what rings now, whole; a thread of its own sees to it that this is what is heard,
//! and reports what really is: that a device took the sound's samples, or in words why none does.
//!
//! - `bell`: the handle, and what is said through it
//! - `keeper`: the thread: holds the device, opens it again when it is lost, reports
//! - `output`: the device
//! - `program`: what the device pulls its samples from, in its own thread
//! - `pattern`, `call_tone`: the sounds, made in code
//! - `message`: a recording, decoded as it is played
//! - `rehearsal`: the same with no device, for tests
//!
//! Nothing here decides what rings: `crewbell-core` does.

mod bell;
mod call_tone;
mod keeper;
mod message;
mod output;
mod pattern;
mod program;
mod rehearsal;

pub use bell::{Bell, Report, Ringing};
pub use call_tone::CallTone;
pub use rehearsal::Rehearsal;
