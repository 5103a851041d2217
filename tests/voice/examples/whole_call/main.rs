//! Measures the sound quality of whole calls over bad networks:
//! `cargo run -p crewbell-voice-tests --example whole_call`.
//!
//! Two people speak at once for half a minute, with the real sound, session and sockets, in real time. Loss, jitter and
//! outages affect everything that the sockets send, including ICE, DTLS and RTCP. Each network has two rows, one for
//! each listener. `--example quality` works without sockets, in simulated time.

mod call;
mod conditions;
mod driven;
#[path = "../quality/pesq.rs"]
mod pesq;
#[path = "../quality/score.rs"]
mod score;
#[path = "../quality/speech.rs"]
mod speech;

use anyhow::Result;
use conditions::{ALL, print};
use speech::speech;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ((one, by), (other, _)) = (speech(folder.path(), "en-gb")?, speech(folder.path(), "en-us+f3")?);
    println!(
        "{} s of speech {by}; 48 kHz devices with periods of 10 ms; loopback, and what is said\n",
        one.len() / 48_000
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let said = [&one[..], &other[..]];
    let mut rows = Vec::new();
    for kind in ALL {
        rows.extend(runtime.block_on(kind.hear(said, 7))?);
    }
    print(said, &rows)
}
