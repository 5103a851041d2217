//! Tests of equal counters, payloads and frames: the same press, or another.

use super::*;

/// An equal press counter within half a minute, and the events in between.
#[test]
fn a_counter_that_comes_again_is_another_press_s_after_a_boot_another_payload_or_a_goodbye() {
    struct Again {
        between: fn(&mut Story),
        payload: u64,
        dup: bool,
        rings: bool,
        doubtful: bool,
    }
    let nothing: fn(&mut Story) = |_| {};
    let again = |between, payload, dup, rings, doubtful| Again { between, payload, dup, rings, doubtful };
    let cases = [
        ("on the same connection", again(nothing, 1, false, false, false)),
        ("on the same connection with DUP", again(nothing, 1, true, false, false)),
        ("with other content", again(nothing, 2, false, true, false)),
        ("with other content and DUP", again(nothing, 2, true, true, false)),
        ("on a new connection with DUP", again(Story::reconnect, 1, true, false, false)),
        ("on a new connection without DUP", again(Story::reconnect, 1, false, true, true)),
        ("after a goodbye", again(Story::sleep_and_wake, 1, false, true, false)),
        ("after a goodbye with DUP", again(Story::sleep_and_wake, 1, true, true, true)),
        (
            "after a status with an uptime of two seconds",
            again(
                |story| {
                    story.reconnect();
                    story.health(&Telemetry { uptime_ms: Some(2_000), ..Telemetry::default() });
                },
                1,
                false,
                true,
                false,
            ),
        ),
        (
            "after a status with an uptime longer than the time since",
            again(
                |story| story.health(&Telemetry { uptime_ms: Some(60_000), ..Telemetry::default() }),
                1,
                true,
                false,
                false,
            ),
        ),
        ("as another kind of press", again(|story| story.what.0 = PressKind::Double, 1, true, true, false)),
        ("on another key", again(|story| story.what.1 = ButtonKey::Aux2, 1, true, true, false)),
    ];
    for seconds in [5, 12, 29] {
        for counter in [0, 1, 65_535] {
            for (which, case) in &cases {
                let mut story = Story::new();
                let first = story.delivery(1);
                let rang = story.judge(&counted(counter, None), &first);
                assert!(is_new(&rang));
                story.wait(seconds);
                (case.between)(&mut story);
                let resent = Delivery { payload_hash: case.payload, ..story.resend(&first, case.dup) };
                let judgement = story.judge(&counted(counter, None), &resent);
                let expected = (case.rings, case.doubtful);
                assert_eq!(
                    (is_new(&judgement), is_doubtful(&judgement)),
                    expected,
                    "{counter} again {which}, {seconds} s"
                );
                assert_eq!(key(rang) == key(judgement), !case.rings);
            }
        }
    }
}

#[test]
fn at_qos_0_only_what_comes_within_two_seconds_is_an_echo() {
    for evidence in [counted(7, None), Evidence::Nothing] {
        let mut story = Story::new();
        let first = Delivery { packet_id: None, ..story.delivery(1) };
        assert!(is_new(&story.judge(&evidence, &first)));
        story.now += SignedDuration::from_millis(20);
        let echo = story.resend(&first, false);
        assert!(!is_new(&story.judge(&evidence, &echo)), "{evidence:?} after 20 ms");
        story.wait(1);
        let echo = story.resend(&first, false);
        assert!(!is_new(&story.judge(&evidence, &echo)), "{evidence:?} after a second");
        story.wait(3);
        let another = story.resend(&first, false);
        assert!(is_new(&story.judge(&evidence, &another)), "{evidence:?} after four seconds: it has no resends");
    }
}

#[test]
fn a_counter_alone_never_silences_an_emergency() {
    let mut story = Story::new();
    story.what.0 = PressKind::Shake;
    let first = story.delivery(1);
    story.judge(&counted(7, None), &first);
    story.wait(10);
    let again = story.resend(&first, false);
    let judgement = story.judge(&counted(7, None), &again);
    assert!(is_doubtful(&judgement), "it counts, on the same card");
    let flagged = story.resend(&first, true);
    assert!(!is_new(&story.judge(&counted(7, None), &flagged)), "MQTT itself says that it is the same");
}

#[test]
fn a_duplicate_under_a_new_packet_id_counts_on_the_same_card_and_toggles_nothing() {
    let mut story = Story::new();
    let first = story.delivery(1);
    story.judge(&Evidence::Nothing, &first);
    let mut judged = |wait, packet_id| {
        story.wait(wait);
        let resent = Delivery { packet_id: Some(packet_id), ..story.resend(&first, true) };
        let (judgement, _) = classify(&story.memory, &story.seen(&Evidence::Nothing), &resent, None);
        (is_new(&judgement), is_doubtful(&judgement))
    };
    assert_eq!(judged(2, 99), (false, false), "the same bytes within two seconds");
    assert_eq!(judged(1, 99), (true, true));
    assert_eq!(judged(20, 1), (false, false), "the same packet");
    assert_eq!(judged(20, 99), (true, false), "long after");
    assert_eq!(judged(400, 1), (true, true), "the same packet of a device that was cut off");
    assert_eq!(judged(400, 1), (true, false));
}

#[test]
fn a_frame_that_comes_again_is_the_same_until_a_join_or_a_lower_number() {
    let mut story = Story::new();
    let rang = story.press(&framed(7, None), 1);
    story.wait(10);
    let again = story.press(&framed(7, None), 2);
    assert_eq!((is_new(&again), key(again)), (false, key(rang.clone())));
    story.wait(38);
    assert!(!is_new(&story.press(&framed(7, None), 3)), "48 s later, under yet another deduplication id");
    assert!(is_new(&story.press(&framed(8, None), 1)), "the next frame is another press, whatever its bytes");
    let lower = story.press(&framed(2, None), 4);
    assert!(is_new(&lower));
    story.health(&Telemetry { booted: true, ..Telemetry::default() });
    let joined = story.press(&framed(2, None), 4);
    assert!(is_new(&joined));
    assert_ne!(key(joined), key(lower));
    story.what.0 = PressKind::Emergency;
    assert!(is_new(&story.press(&framed(2, None), 4)), "another kind of press is another press");
    story.wait(121);
    assert!(is_new(&story.press(&framed(2, None), 4)), "an identity isn't believed for ever");
}

#[test]
fn a_press_that_a_radio_repeats_in_several_frames_rings_once() {
    let mut story = Story::new();
    let rang = story.press(&framed(7, Some(3)), 1);
    for frame in [8, 9] {
        story.wait(5);
        let again = story.press(&framed(frame, Some(3)), frame);
        assert_eq!((is_new(&again), key(again)), (false, key(rang.clone())));
    }
    assert!(is_new(&story.press(&framed(10, Some(4)), 10)), "the next press");
    assert!(is_new(&story.press(&framed(1, Some(4)), 11)), "a lower frame is another life");
}

#[test]
fn a_recording_is_the_same_by_its_bytes_alone() {
    let mut story = Story::new();
    let mut is_repeated = |payload, dup| {
        let delivery = Delivery { dup, ..story.delivery(payload) };
        let (repeated, memory) = classify_recording(&story.memory, &delivery, true);
        story.memory = memory;
        story.wait(20);
        repeated
    };
    assert!(!is_repeated(1, false));
    assert!(is_repeated(1, true), "sent again");
    assert!(!is_repeated(2, true), "another, of which the first delivery was lost");
    assert!(is_repeated(2, false));
}

#[test]
fn the_same_words_or_address_a_while_later_are_a_message_of_their_own() {
    for (seconds, dup, repeats) in [(1, false, true), (20, true, true), (20, false, false), (300, true, false)] {
        let mut story = Story::new();
        let first = story.delivery(1);
        let (_, memory) = classify_recording(&story.memory, &first, false);
        story.wait(seconds);
        let (repeated, _) = classify_recording(&memory, &Delivery { dup, ..story.delivery(1) }, false);
        assert_eq!(repeated, repeats, "after {seconds} s, DUP {dup}");
    }
}

#[test]
fn a_frame_whose_join_is_told_after_it_counts_twice_at_most_and_toggles_nothing_back() {
    let mut story = Story::new();
    let first = story.delivery(7);
    assert!(is_new(&story.judge(&framed(0, None), &first)));
    story.wait(2);
    story.health(&Telemetry { booted: true, ..Telemetry::default() });
    story.wait(8);
    let again = story.resend(&first, false);
    assert!(is_doubtful(&story.judge(&framed(0, None), &again)));
    story.wait(300);
    let another = story.press(&framed(1, None), 8);
    assert!(is_new(&another) && !is_doubtful(&another), "the next frame");
}

#[test]
fn a_stated_counter_of_a_life_that_began_since_is_a_press() {
    let stated = Evidence::Standing { input: 0, counter: 1 };
    let uptime = |seconds: u64| Telemetry { uptime_ms: Some(seconds * 1000), ..Telemetry::default() };
    let mut story = Story::new();
    assert!(is_new(&story.press(&stated, 1)));
    story.wait(30);
    assert!(!is_new(&story.press(&stated, 1)), "it is stated every half a minute");
    // A power cut. A press comes before the server is back, so that only the state message is received.
    story.wait(3_600);
    story.reconnect();
    assert!(!is_new(&story.press(&stated, 1)), "nobody knows yet that it began anew");
    story.health(&uptime(40));
    assert!(is_new(&story.press(&stated, 1)));
    story.wait(30);
    assert!(!is_new(&story.press(&stated, 1)));
    story.health(&uptime(72));
    assert!(!is_new(&story.press(&stated, 1)), "the same life");
}
