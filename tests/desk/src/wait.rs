//! Waiting for what will be the case soon.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Long enough for a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(90);

/// What takes longer is told, so that a test that fails says where its time went.
const LONG: Duration = Duration::from_secs(5);

/// Asks `look` every 20 ms until it finds something, and returns that.
///
/// # Errors
/// When it found nothing in 90 seconds; the message says that `what` was waited for.
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
