//! Rate limiter for presses. A press over the limit is delayed and still recorded.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crewbell_shared::button::{ButtonKey, PressKind};
use crewbell_shared::ids::SiteId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Rate limit per device and kind of press, in presses a second; ten times a person's rate.
const A_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Burst size: the presses that a device may have stored while it was disconnected.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// Maximum delay of a press on a connection shared with other devices, whose messages wait behind it.
const SHARED: Duration = Duration::from_millis(20);

/// Number of limiter keys from which keys within their limit are removed.
const KEPT: usize = 4096;

/// Minimum time between two removals.
const FORGOTTEN_EVERY: Duration = Duration::from_secs(1);

type Finger = (SiteId, String, PressKind, ButtonKey);

/// The rate limiter of all devices. Each kind of press has a limit of its own, so an emergency never waits for the
/// presses of a stuck key.
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
    /// Waits until the limit allows a press, and returns whether it had to wait. `alone`: no other device's messages
    /// wait behind it, so the wait is unbounded.
    pub(super) async fn pace(
        &self,
        site: SiteId,
        device: &str,
        (kind, key): (PressKind, ButtonKey),
        alone: bool,
    ) -> bool {
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

    /// Removes the keys that are within their limit again, at most once a second: device ids can be invented, so their
    /// number is bounded.
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
    const CALL: (PressKind, ButtonKey) = (PressKind::Single, ButtonKey::Main);

    #[tokio::test]
    async fn a_finger_is_never_held_back_and_a_flood_is() {
        let floods = Floods::default();
        for press in 0..AT_ONCE.get() {
            assert!(!floods.pace(SITE, "cabin-1", CALL, true).await, "press {press}");
        }
        assert!(floods.pace(SITE, "cabin-1", CALL, true).await, "it waits");
        assert!(!floods.pace(SITE, "cabin-2", CALL, true).await, "another device doesn't");
        assert!(!floods.pace(SITE, "cabin-1", (PressKind::Shake, ButtonKey::Main), true).await, "an emergency doesn't");
        assert!(!floods.pace(SiteId(Uuid::from_u128(2)), "cabin-1", CALL, true).await, "another site's doesn't");
    }

    #[tokio::test]
    async fn devices_that_are_made_up_cost_no_memory_for_good() {
        let floods = Floods::default();
        for number in 0..2 * KEPT {
            assert!(!floods.pace(SITE, &number.to_string(), CALL, false).await);
        }
        // A press leaves the limiter after a hundredth of a second.
        tokio::time::sleep(FORGOTTEN_EVERY).await;
        assert!(!floods.pace(SITE, "one more", CALL, false).await);
        assert!(floods.limiter.len() < 10, "{}", floods.limiter.len());
    }
}
