//! Detection of the page's first frame: the page calls `hello` once it is drawn, and the time with focus until then is
//! measured.
//!
//! A window on another workspace, or under others, may not be drawn at all, and `Wayland` doesn't report its
//! visibility. A window with the focus is visible, and reports it, so only that time counts.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Whether the page has been drawn, and whether its window has the focus.
#[derive(Debug, Default)]
pub(crate) struct Hello {
    said: watch::Sender<bool>,
    looked_at: watch::Sender<bool>,
}

impl Hello {
    /// Records that the page has been drawn.
    pub(crate) fn said(&self) {
        self.said.send_replace(true);
    }

    /// Sets whether the window has the focus.
    pub(crate) fn looked_at(&self, looked_at: bool) {
        self.looked_at.send_if_modified(|before| std::mem::replace(before, looked_at) != looked_at);
    }

    /// Returns whether the page is drawn before its window has had the focus for this total time. Waits as long as the
    /// window has no focus.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only WebKitGTK has windows that stay blank"))]
    pub(crate) async fn comes_within(&self, time: Duration) -> bool {
        let (mut said, mut looks) = (self.said.subscribe(), self.looked_at.subscribe());
        let mut left = time;
        loop {
            let (is_looked_at, since) = (*looks.borrow_and_update(), Instant::now());
            tokio::select! {
                biased;
                Ok(_) = said.wait_for(|said| *said) => return true,
                () = tokio::time::sleep(left), if is_looked_at => return false,
                Ok(()) = looks.changed() => {}
            }
            if is_looked_at {
                left = left.saturating_sub(since.elapsed());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const BRIEFLY: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_hello_counts_whenever_it_was_said_and_silence_is_noticed() {
        let hello = Hello::default();
        hello.looked_at(true);
        assert!(!hello.comes_within(Duration::from_millis(1)).await);
        let (comes, ()) = tokio::join!(hello.comes_within(Duration::from_mins(1)), async { hello.said() });
        assert!(comes);
        assert!(hello.comes_within(Duration::ZERO).await, "it was said before");
    }

    #[tokio::test]
    async fn a_window_on_another_workspace_is_not_taken_for_blank_however_long_it_is_there() {
        let hello = Hello::default();
        assert!(timeout(BRIEFLY, hello.comes_within(Duration::ZERO)).await.is_err(), "it was never in sight");
        hello.looked_at(true);
        hello.looked_at(false);
        assert!(timeout(BRIEFLY, hello.comes_within(Duration::ZERO)).await.is_err(), "it is gone from sight");
        let (comes, ()) = tokio::join!(hello.comes_within(Duration::from_mins(1)), async { hello.said() });
        assert!(comes, "and is drawn when it can be");
    }

    #[tokio::test]
    async fn the_time_in_which_a_blank_window_is_looked_at_adds_up() {
        let hello = Hello::default();
        hello.looked_at(true);
        let begun = Instant::now();
        let glances = async {
            for _ in 0..3 {
                tokio::time::sleep(BRIEFLY).await;
                hello.looked_at(false);
                tokio::task::yield_now().await;
                hello.looked_at(true);
            }
            std::future::pending::<()>().await;
        };
        let comes = tokio::select! {
            comes = hello.comes_within(2 * BRIEFLY) => comes,
            () = glances => true,
        };
        assert!(!comes && begun.elapsed() >= 2 * BRIEFLY, "no glance alone was so long");
    }
}
