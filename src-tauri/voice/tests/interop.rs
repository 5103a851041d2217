//! Calls with stacks that are not ours: Chromium, and aiortc. A tone goes each way, and each side knows the other's by
//! its pitch; each side calls once.
//!
//! Both come with `cargo xtask setup`. Without them the tests say that they were left out, unless `CI` is set.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

mod session_support;

#[path = "interop/remote.rs"]
mod remote;
#[path = "interop/tone.rs"]
mod tone;

use std::fmt::Write;
use std::time::{Duration, Instant};

use crewbell_voice::session::{Addresses, Candidate, Event, MediaSession, Options};
use remote::Remote;
use serde_json::{Value, json};
use session_support::End;

/// What the others send, and what we send, in hertz.
const THEIRS: f64 = 1000.0;
const OURS: f64 = 440.0;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn chromium_and_we_hear_each_other_whoever_calls() {
    for we_call in [true, false] {
        let Some(mut chromium) = Remote::chromium().await else { return };
        call(&mut chromium, "Chromium", we_call).await;
    }
}

#[tokio::test]
async fn aiortc_and_we_hear_each_other_whoever_calls() {
    for we_call in [true, false] {
        let Some(mut aiortc) = Remote::aiortc() else { return };
        call(&mut aiortc, "aiortc", we_call).await;
    }
}

async fn call(remote: &mut Remote, name: &str, we_call: bool) {
    let start = Instant::now();
    let options = Options { addresses: Addresses::AllAndLoopback, ..Options::default() };
    let mut end = End::open(options).await.unwrap();
    if we_call {
        let offer = end.session.offer().await.unwrap();
        let offer = if remote.trickles { offer } else { with_candidates(offer, &mut end).await };
        remote.tell(&json!({"offer": offer})).await;
    } else {
        remote.tell(&json!({"call": true})).await;
    }
    let talk = tone::speak(end.session.clone(), OURS);
    let (mut connected, mut first_heard, mut ours_there) = (None, None, None);
    while ours_there.is_none() || first_heard.is_none() || end.heard.count() < 50 {
        assert!(start.elapsed() < LIMIT, "{name}, we call: {we_call}; {connected:?} {first_heard:?} {ours_there:?}");
        first_heard = first_heard.or_else(|| end.heard.first_after(start).map(|at| at - start));
        tokio::select! {
            event = end.events.recv() => match event.expect("the session goes on") {
                Event::Candidate(candidate) if remote.trickles => remote.tell(&json!({"candidate": to_json(&candidate)})).await,
                Event::Candidate(_) => {}
                Event::Connected => connected = Some(start.elapsed()),
                event @ (Event::Disconnected | Event::Failed) => panic!("{name}: {event:?}"),
            },
            message = remote.hear() => {
                if let Some(offer) = message["offer"].as_str() {
                    let answer = end.session.accept_offer(offer).await.unwrap();
                    let answer = if remote.trickles { answer } else { with_candidates(answer, &mut end).await };
                    remote.tell(&json!({"answer": answer})).await;
                } else if let Some(answer) = message["answer"].as_str() {
                    end.session.accept_answer(answer).await.unwrap();
                } else if let Some(candidate) = message.get("candidate") {
                    end.session.add_candidate(from_json(candidate)).await.unwrap();
                } else if let Some(hertz) = message["hertz"].as_f64() {
                    if (hertz - OURS).abs() < 12.0 {
                        ours_there = ours_there.or(Some(start.elapsed()));
                    }
                } else {
                    assert!(message.get("error").is_none(), "{name}: {message}");
                }
            },
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
    talk.abort();
    let hertz = tone::pitch(&end.heard.all());
    println!(
        "{name}, we call: {we_call}; connected {connected:?}, their audio here {first_heard:?} at {hertz:.0} Hz, ours known there {ours_there:?}"
    );
    assert!((hertz - THEIRS).abs() < 10.0, "{name} sends {THEIRS} Hz, and {hertz} came");
    end.session.close().await;
}

/// For a stack that doesn't trickle: the description with all candidates in it (RFC 8839, 5.1).
async fn with_candidates(sdp: String, end: &mut End) -> String {
    let mut sdp = sdp;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(200), end.events.recv()).await {
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
