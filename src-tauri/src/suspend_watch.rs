//! Detects that the device slept: the wall clock advanced further than the monotonic clock, which stops during sleep.

use std::time::{Duration, Instant};

use crewbell_core::engine::Input;

use crate::core_handle::Core;

/// Interval of comparing the clocks.
const EVERY: Duration = Duration::from_secs(2);

/// Difference above which the device slept or its clock was set; both require checking the connection.
const SLEPT: Duration = Duration::from_secs(6);

/// Reports every wake-up to the core.
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
