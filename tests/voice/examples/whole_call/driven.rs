//! Devices and sound that follow real time, as sockets and timers need it, a millisecond at a time.
//!
//! On a busy machine they come later, all together: that is a network that is a little worse, and no device that misses its time.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crewbell_voice::audio::{Hand, device::ClockedDevices};

const TICK: Duration = Duration::from_millis(1);

/// What drives them; on drop they stand still.
pub struct Driven(Arc<AtomicBool>);

impl Driven {
    /// Drives devices, each with the sound that is heard by them.
    pub fn start(mut hands: Vec<(ClockedDevices, Hand)>) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&is_over);
        thread::Builder::new().name("driven-sound".to_owned()).spawn(move || {
            let (began, mut now) = (Instant::now(), Duration::ZERO);
            while !ending.load(Ordering::Relaxed) {
                while now < began.elapsed() {
                    now += TICK;
                    for (devices, hand) in &mut hands {
                        devices.advance(now);
                        hand.step(now);
                    }
                }
                thread::sleep(TICK);
            }
        })?;
        Ok(Self(is_over))
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
