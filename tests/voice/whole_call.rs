//! Whole calls in real time: microphone, sound, session, sockets under impaired network conditions, and the other
//! side's session, sound and loudspeaker.

#[path = "examples/whole_call/call.rs"]
mod call;
#[path = "examples/whole_call/conditions.rs"]
mod conditions;
#[path = "examples/whole_call/driven.rs"]
mod driven;
#[path = "examples/quality/pesq.rs"]
mod pesq;
#[path = "examples/quality/score.rs"]
mod score;

use call::{Call, untreated};
use conditions::{ALL, Kind, Row, print};
use crewbell_voice::{audio::speech::Speech, session::impairment::Conditions, talk::Quality};
use futures_util::future::try_join_all;

fn speech(seed: u32, seconds: usize) -> Vec<f32> {
    let mut speech = Speech::new(seed);
    // Half a second of silence at the start of the call.
    std::iter::repeat_n(0.0, 24_000).chain((24_000..seconds * 48_000).map(|_| speech.sample())).collect()
}

/// All networks run concurrently, since each call takes real time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_is_heard_over_every_network() {
    let (one, other) = (speech(7, 8), speech(8, 8));
    let said = [&one[..], &other[..]];
    let rows: Vec<Row> =
        try_join_all(ALL.map(|kind| kind.hear(said, 7))).await.unwrap().into_iter().flatten().collect();
    print(said, &rows).unwrap();
    rows.iter().for_each(check);
}

/// Bounds that hold on a busy machine, and fail when a repair mechanism doesn't work.
fn check(row: &Row) {
    let Row { kind, score, heard } = row;
    let counts = heard.statistics.reception.counts;
    // Late packets are missing, also if only the machine was late; their number is checked below.
    let late_ms = 20 * usize::try_from(counts.late).unwrap_or(0);
    let (gaps_ms, found) = match kind {
        Kind::Fair | Kind::Treated => (0..=80 + late_ms, 0.95),
        Kind::Loss(percent) => (0..=80 + late_ms + 10 * usize::from(*percent), 0.9),
        Kind::Jitter => (0..=80 + late_ms + 20 * usize::try_from(counts.lost).unwrap_or(0), 0.9),
        // Of the two seconds some fall between words, and some are concealed.
        Kind::Outage => (1_000..=2_200, 0.65),
    };
    // Every network here stays below the maximum one-way delay of ITU-T G.114.
    assert!(score.delay_ms < 350.0 && score.delay_95_ms < 400.0, "{kind:?} {score:?} {counts:?}");
    assert!(gaps_ms.contains(&score.gaps_ms) && score.found > found, "{kind:?} {score:?} {counts:?}");
    assert!(score.distance_db < 3.5, "{kind:?} {score:?} {counts:?}");
    let quality = heard.quality;
    match kind {
        Kind::Fair | Kind::Treated => {
            assert!(
                counts.lost == 0 && counts.late < 25 && quality != Quality::Poor,
                "{kind:?} {counts:?} {quality:?}"
            );
        }
        // On average three of four lost packets are recovered from the following packet; about twenty are lost here.
        Kind::Loss(_) => assert!(counts.recovered * 4 > counts.lost && counts.lost > 5, "{kind:?} {counts:?}"),
        Kind::Jitter => {
            assert!(counts.lost + counts.late < 25 && quality != Quality::Poor, "{kind:?} {counts:?} {quality:?}");
        }
        Kind::Outage => assert!(counts.lost + counts.late > 60, "{kind:?} {counts:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_understood_is_told_as_well_as_who_does_not_understand() {
    let mut call = Call::begin(3, &untreated()).await.unwrap();
    println!("both are told of the way after {:?}", call.found);
    let (one, other) = (speech(7, 60), speech(8, 60));
    call.say([&one, &other]);
    call.until("it is good", |state| state.quality == Quality::Good).await.unwrap();
    // Only the first person's packets are lost.
    call.set([Conditions { loss: 0.2, ..Conditions::default() }, Conditions::default()]);
    call.until("it is poor", |state| state.quality == Quality::Poor).await.unwrap();
}
