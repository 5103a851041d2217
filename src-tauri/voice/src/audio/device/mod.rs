//! Microphones and loudspeakers, and the way between their threads and ours.
//!
//! - `ends`: what a device's thread does, without a lock or an allocation, and the other end of it in the engine
//! - `system`: the devices of this machine; `microphone`: how they are listened to on Linux
//! - `clocked`: devices whose time a test holds
//!
//! A device's thread calls [`Capturing::take`] or [`Playing::fill`]; the engine has a [`Source`] or a [`Sink`].

mod clocked;
mod ends;
#[cfg(target_os = "linux")]
mod microphone;
mod system;

use std::{fmt, time::Duration};

pub use crate::wake::Wake;
pub use clocked::{ClockedDevice, ClockedDevices};
pub use ends::{Capturing, Playing, Sink, Source, capture, playback};
pub use system::SystemDevices;

/// Which way sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A microphone.
    Input,
    /// A loudspeaker.
    Output,
}

/// What devices there are, and how they are opened. Calls may block for some 100 ms.
pub trait Devices: Send {
    /// The names by which devices are chosen.
    fn names(&mut self, direction: Direction) -> Vec<String>;

    /// Opens the microphone of this name, or the system's default; `wake` when sound has come.
    ///
    /// # Errors
    /// Why it can't be had, in words.
    fn open_input(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Source), String>;

    /// As `open_input`, of a loudspeaker; `wake` when sound was taken.
    ///
    /// # Errors
    /// Why it can't be had, in words.
    fn open_output(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Sink), String>;
}

/// A device that runs; closed on drop.
pub trait OpenDevice: Send {
    /// Its name.
    fn name(&self) -> &str;

    /// Why it is of no use any more, in words; asked several times a second.
    fn fault(&mut self, now: Duration) -> Option<String>;
}

impl fmt::Debug for dyn OpenDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenDevice").field(&self.name()).finish()
    }
}
