//! Waiting for what will be the case soon.

use std::time::Duration;

/// Longer than anything takes that is waited for, also on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come soon.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap_or_else(|_| panic!("it did not come within {PATIENCE:?}"))
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}: not within {PATIENCE:?}");
}
