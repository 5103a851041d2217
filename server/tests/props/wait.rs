//! Polling and time limits.

use std::time::Duration;

/// Time limit, longer than any expected wait on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// Awaits a future, and panics after the time limit.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap_or_else(|_| panic!("it did not come within {PATIENCE:?}"))
}

/// Waits until a condition holds, and panics after the time limit.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}: not within {PATIENCE:?}");
}
