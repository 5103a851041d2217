//! Microphones and loudspeakers, and the queues between their threads and the engine.
//!
//! - `ends`: the devices' callbacks, without locks or allocations, and the engine's ends of the queues
//! - `system`: the devices of this machine; `microphone`: capture on Linux
//! - `clocked`: simulated devices with a test's clock
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

/// The direction of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A microphone.
    Input,
    /// A loudspeaker.
    Output,
}

/// Access to a set of devices. Calls may block for some 100 ms.
pub trait Devices: Send {
    /// The names of the devices in a direction.
    fn names(&mut self, direction: Direction) -> Vec<String>;

    /// Opens the microphone with this name, or the system's default; `wake` is signalled when sound has come.
    ///
    /// # Errors
    /// Returns the reason, fit to show, if it can't be opened.
    fn open_input(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Source), String>;

    /// Opens a loudspeaker, as `open_input`; `wake` is signalled when sound was taken.
    ///
    /// # Errors
    /// Returns the reason, fit to show, if it can't be opened.
    fn open_output(&mut self, name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Sink), String>;
}

/// A running device; closed on drop.
pub trait OpenDevice: Send {
    /// Its name.
    fn name(&self) -> &str;

    /// The reason why it has failed, fit to show; polled several times a second.
    fn fault(&mut self, now: Duration) -> Option<String>;
}

impl fmt::Debug for dyn OpenDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenDevice").field(&self.name()).finish()
    }
}
