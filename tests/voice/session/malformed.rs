//! Malformed input from the other side: a session refuses it, and goes on.
use crate::support::{End, both, loopback};
use crewbell_voice::session::{Candidate, Event, MediaSession, SessionError};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

fn candidate(line: &str) -> Candidate {
    Candidate { candidate: line.to_owned(), ..Candidate::default() }
}

/// Generates descriptions with some characters changed, and some lines removed, duplicated or moved.
fn damaged(sdp: &str) -> impl Strategy<Value = String> + use<> {
    let lines: Vec<String> = sdp.lines().map(str::to_owned).collect();
    let count = lines.len();
    let change = (0..count, 0..5_u8, any::<proptest::sample::Index>(), any::<char>());
    proptest::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut lines = lines.clone();
        for (at, how, place, by) in changes {
            let at = at.min(lines.len() - 1);
            match how {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(place.index(lines.len()), lines[at].clone()),
                2 => lines[at] = lines[at].chars().take(place.index(20)).collect(),
                3 => lines[at] = lines[at].replace(|letter: char| letter.is_ascii_digit(), &by.to_string()),
                _ => {
                    let mut letters: Vec<char> = lines[at].chars().collect();
                    if !letters.is_empty() {
                        let place = place.index(letters.len());
                        letters[place] = by;
                    }
                    lines[at] = letters.into_iter().collect();
                }
            }
        }
        lines.join("\r\n") + "\r\n"
    })
}

#[tokio::test]
async fn nonsense_is_refused_in_words() {
    let end = End::open(loopback()).await.unwrap();
    let huge = "a=x\r\n".repeat(20_000);
    for nonsense in ["", "v=0", "hello", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", &huge, "\0\0\0", "a=ice-ufrag:x"]
    {
        assert!(
            matches!(end.session.accept_offer(nonsense).await, Err(SessionError::Description(_))),
            "{nonsense:.30}"
        );
    }
    let other = End::open(loopback()).await.unwrap();
    let answer = end.session.accept_offer(&other.session.offer().await.unwrap()).await.unwrap();
    other.session.accept_answer(&answer).await.unwrap();
    for line in ["candidate:1 1 udp", "candidate:1 1 udp 99999999999 1.2.3.4 5 typ host", "x", &huge] {
        assert!(
            matches!(end.session.add_candidate(candidate(line)).await, Err(SessionError::Candidate(_))),
            "{line:.30}"
        );
    }
    end.session.add_candidate(candidate("")).await.expect("no more candidates");
    let hidden = "candidate:1 1 udp 2113937151 f0d1b0a2-6f4f-4e7e-8f39-0f1d3d8b4c55.local 50000 typ host";
    let _ = end.session.add_candidate(candidate(hidden)).await;
}

#[tokio::test]
async fn what_comes_out_of_turn_is_refused() {
    let mut caller = End::open(loopback()).await.unwrap();
    let mut callee = End::open(loopback()).await.unwrap();
    let offer = caller.session.offer().await.unwrap();
    let answer = callee.session.accept_offer(&offer).await.unwrap();
    assert!(matches!(callee.session.accept_answer(&answer).await, Err(SessionError::OutOfTurn(_))));
    caller.session.accept_answer(&answer).await.unwrap();
    assert!(matches!(caller.session.accept_answer(&answer).await, Err(SessionError::OutOfTurn(_))));
    both(Event::Connected, &mut caller, &mut callee).await;
}

/// The library parses untrusted input: no input may make it or our task panic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_descriptions_and_candidates_never_bring_a_session_down() {
    let caller = End::open(loopback()).await.unwrap();
    let offer = caller.session.offer().await.unwrap();
    let callee = End::open(loopback()).await.unwrap();
    let answer = callee.session.accept_offer(&offer).await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() });
        let descriptions =
            (damaged(&offer), damaged(&answer), proptest::collection::vec("(candidate:)?[ -~]{0,60}", 3));
        runner
            .run(&descriptions, |(offer, answer, candidates)| {
                runtime.block_on(async {
                    let callee = End::open(loopback()).await.unwrap();
                    let answered = callee.session.accept_offer(&offer).await;
                    for line in candidates {
                        let _ = callee.session.add_candidate(candidate(&line)).await;
                    }
                    let caller = End::open(loopback()).await.unwrap();
                    caller.session.offer().await.unwrap();
                    let _ = caller.session.accept_answer(&answer).await;
                    if let Ok(answer) = answered {
                        assert!(answer.contains("a=ice-ufrag:"));
                    }
                    caller.session.close().await;
                    callee.session.close().await;
                });
                Ok(())
            })
            .unwrap();
    })
    .await
    .unwrap();
}
