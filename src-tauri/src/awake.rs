//! Notices that the device slept: the clock on the wall went further than the one that only counts while it is awake.

use std::time::{Duration, Instant};

use crewbell_core::engine::Input;

use crate::core_handle::Core;

/// How often the clocks are compared.
const EVERY: Duration = Duration::from_secs(2);

/// A difference above this is a sleep, or a clock that was set: both want the connection looked at.
const SLEPT: Duration = Duration::from_secs(6);

/// Tells the core whenever the device woke up.
pub(crate) async fn watch(core: Core) {
    let (mut awake, mut wall) = read();
    loop {
        tokio::time::sleep(EVERY).await;
        let (awake_now, wall_now) = read();
        let slept = wall_now.saturating_sub(wall).saturating_sub(awake_now.duration_since(awake));
        if slept > SLEPT {
            core.report(Input::Woke);
        }
        (awake, wall) = (awake_now, wall_now);
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge that compares the device's two clocks")]
fn read() -> (Instant, Duration) {
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (Instant::now(), wall)
}
