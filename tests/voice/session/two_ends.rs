//! Calls between two sessions.
use std::time::{Duration, Instant};

use crate::support::{End, both, connected, eventually, loopback, packet, trickle_until};
use crewbell_voice::session::impairment::{Conditions, ImpairedNetwork};
use crewbell_voice::session::{Addresses, Event, Kind, MediaSession, Options};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_call_connects_and_carries_packets_as_they_are_both_ways() {
    let start = Instant::now();
    let (caller, callee) = connected(loopback(), loopback()).await;
    println!("connected after {:?}", start.elapsed());
    let sent: Vec<_> = (65_530..65_550).map(packet).collect();
    for packet in &sent {
        caller.session.send(packet.clone());
        callee.session.send(packet.clone());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for end in [&caller, &callee] {
        eventually("all packets", LIMIT, || end.heard.count() == sent.len()).await;
        let heard: Vec<_> = end.heard.all().into_iter().map(|(_, packet)| packet).collect();
        assert_eq!(heard, sent);
    }
}

#[tokio::test]
async fn two_apps_on_a_machine_call_each_other_by_its_own_addresses() {
    let (caller, callee) = connected(Options::default(), Options::default()).await;
    let talk = caller.speak();
    eventually("audio", LIMIT, || callee.heard.count() > 10).await;
    talk.abort();
    assert_eq!(caller.session.stats().await.kind, Some(Kind::Host));
}

#[tokio::test]
async fn candidates_may_come_before_the_description_that_they_belong_to() {
    let mut caller = End::open(loopback()).await.unwrap();
    let mut callee = End::open(loopback()).await.unwrap();
    let offer = caller.session.offer().await.unwrap();
    let early = tokio::time::timeout(LIMIT, caller.events.recv()).await.unwrap().unwrap();
    let Event::Candidate(early) = early else { panic!("{early:?} comes before a candidate") };
    callee.session.add_candidate(early).await.unwrap();
    let answer = callee.session.accept_offer(&offer).await.unwrap();
    caller.session.accept_answer(&answer).await.unwrap();
    both(Event::Connected, &mut caller, &mut callee).await;
}

#[tokio::test]
async fn statistics_tell_of_the_way_there_and_back() {
    let weather = ImpairedNetwork::new(1);
    let (caller, callee) = connected(Options { weather: Some(weather.clone()), ..loopback() }, loopback()).await;
    let ms = Duration::from_millis;
    weather.set(Conditions { loss: 0.2, delay: ms(30), jitter: ms(10), ..Conditions::default() });
    let talks = [caller.speak(), callee.speak()];
    let (mut ours, mut theirs) = (caller.session.stats().await, callee.session.stats().await);
    let start = Instant::now();
    while ours.lost_fraction.is_none_or(|lost| lost == 0.0)
        || ours.rtt_ms.is_none_or(|rtt| rtt < 25.0)
        || theirs.missed_fraction.is_none_or(|missed| missed < 0.05)
    {
        assert!(start.elapsed() < LIMIT, "{ours:?} {theirs:?}");
        tokio::time::sleep(ms(50)).await;
        (ours, theirs) = (caller.session.stats().await, callee.session.stats().await);
    }
    for talk in talks {
        talk.abort();
    }
    println!("{ours:?}\n{theirs:?} after {:?}", start.elapsed());
    assert!(theirs.jitter_ms.is_some_and(|jitter| (0.5..30.0).contains(&jitter)), "{theirs:?}");
    assert!(ours.rtt_ms.is_some_and(|rtt| rtt < 200.0), "{ours:?}");
    assert_eq!((ours.kind, theirs.kind), (Some(Kind::Host), Some(Kind::Host)));
    assert!(ours.sent > 20 && theirs.received > 20);
}

#[tokio::test]
async fn a_restart_moves_the_call_to_new_sockets() {
    let weather = ImpairedNetwork::new(1);
    let options = Options { weather: Some(weather.clone()), ..loopback() };
    let (mut caller, mut callee) = connected(options, loopback()).await;
    let talks = [caller.speak(), callee.speak()];
    eventually("audio", LIMIT, || caller.heard.count() > 5 && callee.heard.count() > 5).await;

    weather.leave_network();
    let left = Instant::now();
    let offer = caller.session.restart().await.unwrap();
    let answer = callee.session.accept_offer(&offer).await.unwrap();
    caller.session.accept_answer(&answer).await.unwrap();
    let back = async {
        eventually("audio at the caller", LIMIT, || {
            caller.heard.first_after(left + Duration::from_millis(20)).is_some()
        })
        .await;
    };
    let (heard_by_callee, session) = (callee.heard.clone(), callee.session.clone());
    tokio::select! {
        () = trickle_until(Event::Failed, &mut caller.events, &session) => unreachable!(),
        () = trickle_until(Event::Failed, &mut callee.events, &caller.session) => unreachable!(),
        () = back => {}
    }
    eventually("audio at the callee", LIMIT, || {
        heard_by_callee.first_after(left + Duration::from_millis(20)).is_some()
    })
    .await;
    println!("both ways again after {:?}", left.elapsed());
    for talk in talks {
        talk.abort();
    }
}

#[tokio::test]
async fn a_closed_session_takes_nothing_and_says_so() {
    let (caller, _callee) = connected(loopback(), loopback()).await;
    caller.session.close().await;
    caller.session.close().await;
    caller.session.send(packet(1));
    assert!(caller.session.offer().await.is_err());
    assert!(caller.session.restart().await.is_err());
}

#[tokio::test]
async fn a_session_without_any_network_still_opens() {
    assert!(End::open(Options { addresses: Addresses::Only(Vec::new()), ..Options::default() }).await.is_err());
    assert!(End::open(Options { addresses: Addresses::AllAndLoopback, ..Options::default() }).await.is_ok());
}
