//! How a call sounds over bad networks, with all of it in between: `cargo run -p crewbell-voice-tests --example whole_call`.
//!
//! Two people speak to each other at once, by the real sound, session and sockets, in real time: half a minute. Lossy, jittery
//! and cut is what the sockets send, ICE, DTLS and RTCP too. Each network has two rows: what the one heard of the other, and the
//! other way round. `--example quality` is without sockets, in simulated time.

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
