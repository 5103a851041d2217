//! Simulated devices and engines that follow real time in steps of a millisecond, as sockets and timers need it.
//!
//! On a busy machine several steps run late, all together. This acts like a slightly worse network, and no device
//! misses its period.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crewbell_voice::audio::{ManualDriver, device::ClockedDevices};

const TICK: Duration = Duration::from_millis(1);

/// The driving thread; it stops on drop.
pub struct Driven(Arc<AtomicBool>);

impl Driven {
    /// Starts to drive devices, each with its engine.
    pub fn start(mut hands: Vec<(ClockedDevices, ManualDriver)>) -> io::Result<Self> {
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
