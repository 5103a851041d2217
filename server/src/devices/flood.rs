//! A device that presses faster than any finger is held back, each press of it all the same recorded.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crewbell_shared::button::{Key, PressKind};
use crewbell_shared::ids::SiteId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Presses of one kind that a device may make in a second; ten times what a finger can.
const A_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Presses of one kind at once: what a device has kept while it was cut off.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// How long a press may be held back on a connection that speaks for other devices too, which wait behind it.
const SHARED: Duration = Duration::from_millis(20);

/// Devices whose pace is kept before those that keep it are forgotten.
const KEPT: usize = 4096;

/// Between two looks for them.
const FORGOTTEN_EVERY: Duration = Duration::from_secs(1);

type Finger = (SiteId, String, PressKind, Key);

/// The pace of every device. A press of another kind has a pace of its own: an emergency never waits for a stuck key's.
#[derive(Debug)]
pub(super) struct Floods {
    limiter: DefaultKeyedRateLimiter<Finger>,
    forgot_at: Mutex<Option<Instant>>,
}

impl Default for Floods {
    fn default() -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(A_SECOND).allow_burst(AT_ONCE)),
            forgot_at: Mutex::default(),
        }
    }
}

impl Floods {
    /// Waits until a press is due, and says whether it had to. `alone`: nobody else's message waits behind it.
    pub(super) async fn pace(&self, site: SiteId, device: &str, (kind, key): (PressKind, Key), alone: bool) -> bool {
        let finger = (site, device.to_owned(), kind, key);
        self.forget_who_keeps_it();
        if self.limiter.check_key(&finger).is_ok() {
            return false;
        }
        let ready = self.limiter.until_key_ready(&finger);
        if alone {
            ready.await;
        } else {
            let _ = tokio::time::timeout(SHARED, ready).await;
        }
        true
    }

    /// Devices can be made up: their paces are forgotten as soon as they are kept, once a second at most.
    fn forget_who_keeps_it(&self) {
        if self.limiter.len() <= KEPT {
            return;
        }
        let mut forgot_at = self.forgot_at.lock().unwrap_or_else(PoisonError::into_inner);
        if forgot_at.is_none_or(|at| at.elapsed() >= FORGOTTEN_EVERY) {
            *forgot_at = Some(Instant::now());
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SITE: SiteId = SiteId(Uuid::from_u128(1));
    const CALL: (PressKind, Key) = (PressKind::Single, Key::Main);

    #[tokio::test]
    async fn a_finger_is_never_held_back_and_a_flood_is() {
        let floods = Floods::default();
        for press in 0..AT_ONCE.get() {
            assert!(!floods.pace(SITE, "cabin-1", CALL, true).await, "press {press}");
        }
        assert!(floods.pace(SITE, "cabin-1", CALL, true).await, "it waits");
        assert!(!floods.pace(SITE, "cabin-2", CALL, true).await, "another device doesn't");
        assert!(!floods.pace(SITE, "cabin-1", (PressKind::Shake, Key::Main), true).await, "an emergency doesn't");
        assert!(!floods.pace(SiteId(Uuid::from_u128(2)), "cabin-1", CALL, true).await, "another site's doesn't");
    }

    #[tokio::test]
    async fn devices_that_are_made_up_cost_no_memory_for_good() {
        let floods = Floods::default();
        for number in 0..2 * KEPT {
            assert!(!floods.pace(SITE, &number.to_string(), CALL, false).await);
        }
        // One press is paid off after a hundredth of a second.
        tokio::time::sleep(FORGOTTEN_EVERY).await;
        assert!(!floods.pace(SITE, "one more", CALL, false).await);
        assert!(floods.limiter.len() < 10, "{}", floods.limiter.len());
    }
}
