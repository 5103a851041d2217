//! Calls with foreign WebRTC stacks: Chromium and aiortc. Our end includes the sound, from microphone to loudspeaker. A
//! tone and speech go each way at once, and each side must recognise the other's; each side calls once.
//!
//! `cargo xtask setup` installs both stacks. Without them the tests are reported as skipped, or fail if `CI` is set.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

#[path = "../examples/whole_call/driven.rs"]
mod driven;
mod ours;
mod remote;
#[path = "../examples/quality/score.rs"]
#[expect(dead_code, reason = "where what was heard begins is for PESQ")]
mod score;
mod sound;

use std::fmt::Write;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crewbell_voice::session::{Candidate, Event, MediaSession};
use ours::Ours;
use remote::Remote;
use serde_json::{Value, json};
use sound::Said;

const LIMIT: Duration = Duration::from_mins(1);

/// Listening time after the last word.
const AFTER: Duration = Duration::from_millis(1_500);

// The worker thread runs the network tasks, so that the recognition doesn't hold them up.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn chromium_and_we_hear_each_other_whoever_calls() {
    for we_call in [true, false] {
        let Some(mut chromium) = Remote::chromium().await else { return };
        call(&mut chromium, "Chromium", we_call).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn aiortc_and_we_hear_each_other_whoever_calls() {
    for we_call in [true, false] {
        let Some(mut aiortc) = Remote::aiortc() else { return };
        call(&mut aiortc, "aiortc", we_call).await;
    }
}

async fn call(remote: &mut Remote, name: &str, we_call: bool) {
    let start = Instant::now();
    let (said_here, said_there) = (Said::new(400, 7), Said::new(1_000, 8));
    let mut ours = Ours::open().await;
    if we_call {
        let offer = ours.session.offer().await.unwrap();
        let offer = if remote.trickles { offer } else { with_candidates(offer, &mut ours).await };
        remote.tell(&json!({"offer": offer})).await;
    } else {
        remote.tell(&json!({"call": true})).await;
    }
    let (mut heard_here, mut heard_there) = (Vec::new(), Vec::new());
    let (mut spoken, mut connected, mut look, mut last) = (None, None, None, (None, None));
    let lasts = Duration::from_millis(u64::try_from(said_here.samples.len() / 48).unwrap()) + AFTER;
    let recognised = loop {
        let counts = ours.engine.statistics().reception.counts;
        assert!(
            start.elapsed() < LIMIT,
            "{name}, we call: {we_call}; {connected:?} {spoken:?} {counts:?}, {} samples there; {last:?}",
            heard_there.len()
        );
        let is_up = connected.is_some() && heard_there.len() > 9_600 && counts.played > 5;
        if look.is_none() && is_up {
            drop(ours.devices.heard());
            heard_there.clear();
            remote.tell(&json!({"say": base64(&said_there.samples)})).await;
            ours.devices.say(&said_here.samples);
            spoken = Some(start.elapsed());
            look = Some(Instant::now() + lasts);
        }
        if look.is_some_and(|look| look <= Instant::now()) {
            heard_here.extend(ours.devices.heard());
            let recognised = (said_there.recognise(&heard_here), said_here.recognise(&heard_there));
            let is_whole = |said: &Said, recognised: &Option<_>| recognised.as_ref().is_some_and(|it| said.is_in(it));
            if is_whole(&said_there, &recognised.0) && is_whole(&said_here, &recognised.1) {
                break recognised;
            }
            // On a busy machine an end may be late or have gaps: both play their sound again.
            look = None;
            heard_here.clear();
            last = recognised;
        }
        tokio::select! {
            event = ours.events.recv() => match event.expect("the session goes on") {
                Event::Candidate(candidate) if remote.trickles => remote.tell(&json!({"candidate": to_json(&candidate)})).await,
                Event::Candidate(_) => {}
                Event::Connected => connected = Some(start.elapsed()),
                // On a busy machine checks go unanswered for some seconds; sound that doesn't arrive in time fails the
                // test in any case.
                Event::Disconnected => println!("{name}: disconnected after {:?}", start.elapsed()),
                Event::Failed => panic!("{name}: the network failed"),
            },
            message = remote.hear() => {
                if let Some(offer) = message["offer"].as_str() {
                    let answer = ours.session.accept_offer(offer).await.unwrap();
                    let answer = if remote.trickles { answer } else { with_candidates(answer, &mut ours).await };
                    remote.tell(&json!({"answer": answer})).await;
                } else if let Some(answer) = message["answer"].as_str() {
                    ours.session.accept_answer(answer).await.unwrap();
                } else if let Some(candidate) = message.get("candidate") {
                    ours.session.add_candidate(from_json(candidate)).await.unwrap();
                } else if let Some(heard) = message["heard"].as_str() {
                    heard_there.extend(from_base64(heard));
                } else {
                    assert!(message.get("error").is_none(), "{name}: {message}");
                }
            },
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    };
    println!(
        "{name}, we call: {we_call}; connected {connected:?}\n  here {:?}\n  there {:?}",
        recognised.0, recognised.1
    );
    ours.session.close().await;
}

/// Completes a description with all candidates, for a stack without trickle ICE (RFC 8839, 5.1).
async fn with_candidates(sdp: String, ours: &mut Ours) -> String {
    let mut sdp = sdp;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(200), ours.events.recv()).await {
        if let Event::Candidate(candidate) = event {
            let _ = write!(sdp, "a={}\r\n", candidate.candidate);
        }
    }
    sdp + "a=end-of-candidates\r\n"
}

fn to_json(candidate: &Candidate) -> Value {
    json!({
        "candidate": candidate.candidate,
        "sdpMid": candidate.sdp_mid,
        "sdpMLineIndex": candidate.sdp_mline_index,
        "usernameFragment": candidate.username_fragment,
    })
}

fn from_json(candidate: &Value) -> Candidate {
    let text = |name: &str| candidate[name].as_str().map(str::to_owned);
    Candidate {
        candidate: text("candidate").unwrap_or_default(),
        sdp_mid: text("sdpMid"),
        sdp_mline_index: candidate["sdpMLineIndex"].as_u64().and_then(|index| u16::try_from(index).ok()),
        username_fragment: text("usernameFragment"),
    }
}

/// Encodes samples as 16-bit little-endian in base64.
fn base64(samples: &[f32]) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
    let bytes = samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes());
    STANDARD.encode(bytes.collect::<Vec<u8>>())
}

fn from_base64(text: &str) -> Vec<f32> {
    let bytes = STANDARD.decode(text).unwrap();
    bytes.as_chunks().0.iter().map(|sample| f32::from(i16::from_le_bytes(*sample)) / 32_768.0).collect()
}
