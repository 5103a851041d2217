//! Plays the four alert sounds on this machine's loudspeaker for a person to judge, and prints the reports:
//! `cargo run -p crewbell-voice-tests --example listen`.

use std::{
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use crewbell_shared::{ids::RequestId, request::Priority};
use crewbell_voice::sounds::{Bell, Ringing};
use uuid::Uuid;

/// Time for the slowest sound to play three times.
const EACH: Duration = Duration::from_secs(17);

fn main() {
    let began = Instant::now();
    let (sender, reports) = channel();
    let bell = Bell::open(move |report| drop(sender.send(report)));
    for (number, priority) in (0..).zip(Priority::ALL) {
        println!("{:9.3} s  {}", began.elapsed().as_secs_f32(), priority.as_str());
        bell.ring(vec![Ringing { request_id: RequestId(Uuid::from_u128(number)), priority }]);
        let end = Instant::now() + EACH;
        while let Ok(report) = reports.recv_timeout(end.saturating_duration_since(Instant::now())) {
            println!("{:9.3} s  {report:?}", began.elapsed().as_secs_f32());
        }
    }
}
