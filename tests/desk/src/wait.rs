//! Polling for a condition with a time limit.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Time limit, long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

/// Longer waits are printed, so that a failed test says where its time went.
const LONG: Duration = Duration::from_secs(5);

/// Calls `look` every 20 ms until it returns a value, and returns that.
///
/// # Errors
/// Returns an error if there is no value within 90 seconds; the message names `what`.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            if began.elapsed() > LONG {
                println!("waited {:.0?} for {what}", began.elapsed());
            }
            return Ok(found);
        }
        if began.elapsed() > LIMIT {
            bail!("waited {LIMIT:?} in vain for {what}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
