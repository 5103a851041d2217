//! The page says hello when it has been drawn for the first time.

use std::time::Duration;

use tokio::sync::watch;

/// Whether it has.
#[derive(Debug, Default)]
pub(crate) struct Hello(watch::Sender<bool>);

impl Hello {
    /// It has.
    pub(crate) fn said(&self) {
        self.0.send_replace(true);
    }

    /// Whether it does so in time, or has done so.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only WebKitGTK has windows that stay blank"))]
    pub(crate) async fn comes_within(&self, time: Duration) -> bool {
        let mut said = self.0.subscribe();
        matches!(tokio::time::timeout(time, said.wait_for(|said| *said)).await, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hello_counts_whenever_it_was_said_and_silence_is_noticed() {
        let hello = Hello::default();
        assert!(!hello.comes_within(Duration::from_millis(1)).await);
        let (comes, ()) = tokio::join!(hello.comes_within(Duration::from_mins(1)), async { hello.said() });
        assert!(comes);
        assert!(hello.comes_within(Duration::ZERO).await, "it was said before");
    }
}
