use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A button's connection and clock, and what is remembered of it.
struct Story {
    memory: Memory,
    now: Timestamp,
    connection: u64,
    packet_id: u16,
    external: bool,
    /// Which connection ended last with a goodbye.
    said_goodbye: Option<u64>,
    /// What the finger does from now on.
    what: (PressKind, Key),
}

impl Story {
    fn new() -> Self {
        Self {
            memory: Memory::default(),
            now: Timestamp::from_second(1_790_000_000).expect("in range"),
            connection: 1,
            packet_id: 0,
            external: false,
            said_goodbye: None,
            what: (PressKind::Single, Key::Main),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn reconnect(&mut self) {
        self.connection += 1;
        self.said_goodbye = None;
    }

    /// A DISCONNECT, and a connection anew.
    fn sleep_and_wake(&mut self) {
        self.said_goodbye = Some(self.connection);
        self.connection += 1;
        self.packet_id = 0;
    }

    /// A fresh PUBLISH.
    fn delivery(&mut self, payload_hash: u64) -> Delivery {
        self.packet_id += 1;
        Delivery {
            connection: if self.external { 7 } else { self.connection },
            clean_start: true,
            said_goodbye: self.said_goodbye,
            dup: false,
            packet_id: Some(self.packet_id),
            client_id: (!self.external).then(|| "esp32-7".to_owned()),
            payload_hash,
            received_at: self.now,
        }
    }

    /// The same PUBLISH once more, now.
    fn resend(&self, first: &Delivery, dup: bool) -> Delivery {
        let connection = if self.external { 7 } else { self.connection };
        Delivery { connection, dup, said_goodbye: self.said_goodbye, received_at: self.now, ..first.clone() }
    }

    fn seen(&self, evidence: &Evidence) -> SeenPress {
        let (kind, key) = self.what;
        SeenPress {
            kind,
            key,
            evidence: evidence.clone(),
            device_press_id: None,
            device_time: None,
            vitals: Vitals::default(),
            transcript: None,
            audio_url: None,
        }
    }

    fn judge(&mut self, evidence: &Evidence, delivery: &Delivery) -> Judgement {
        let (judgement, memory) = judge(&self.memory, &self.seen(evidence), delivery, None);
        let kept = serde_json::to_string(&memory).expect("memory is JSON");
        assert!(kept.len() < 6144, "a memory of {} bytes", kept.len());
        self.memory = serde_json::from_str(&kept).expect("and back");
        assert_eq!(self.memory, memory);
        judgement
    }

    fn press(&mut self, evidence: &Evidence, payload_hash: u64) -> Judgement {
        let delivery = self.delivery(payload_hash);
        self.judge(evidence, &delivery)
    }

    fn health(&mut self, vitals: &Vitals) {
        self.memory = note_health(&self.memory, vitals, self.now);
    }
}

fn counted(counter: u64, uptime_ms: Option<u64>) -> Evidence {
    Evidence::Counted { counter, uptime_ms }
}

fn framed(frame: u64, counter: Option<u64>) -> Evidence {
    Evidence::Framed { frame, counter }
}

fn is_new(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::New { .. })
}

fn is_doubtful(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::New { doubtful: true, .. })
}

fn reuses_id(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::New { reuses_id: true, .. })
}

fn key(judgement: Judgement) -> String {
    match judgement {
        Judgement::New { press_key, .. } | Judgement::Repeat { press_key } => press_key,
    }
}

#[test]
fn a_named_press_repeats_under_its_name_while_devices_resend() {
    let mut story = Story::new();
    let named = Evidence::Named("a1-1".to_owned());
    assert!(is_new(&story.press(&named, 1)));
    for _ in 0..2 {
        story.wait(15);
        story.reconnect();
        let again = story.press(&named, 1);
        assert!(!is_new(&again));
        assert_eq!(key(again), "a1-1");
    }
}

#[test]
fn a_name_that_mqtt_calls_a_duplicate_is_believed_while_the_server_may_have_been_away() {
    let mut story = Story::new();
    let named = Evidence::Named("a1-1".to_owned());
    let first = story.delivery(1);
    story.judge(&named, &first);
    let mut judged = |wait, payload_hash| {
        story.wait(wait);
        story.reconnect();
        let resent = Delivery { payload_hash, ..story.resend(&first, true) };
        is_new(&judge(&story.memory, &story.seen(&named), &resent, None).0)
    };
    assert!(!judged(590, 1));
    assert!(judged(0, 2), "other bytes are another press");
    assert!(judged(11, 1), "nothing is believed for ever");
}

#[test]
fn a_name_that_comes_again_rings_when_it_can_be_no_resend() {
    let named = Evidence::Named("a1-1".to_owned());
    let another = |change: fn(&mut Story) -> u64| {
        let mut story = Story::new();
        let first = story.press(&named, 1);
        let payload = change(&mut story);
        let judgement = story.press(&named, payload);
        assert!(is_new(&judgement) && reuses_id(&judgement), "{judgement:?}");
        assert_ne!(key(judgement.clone()), key(first));
        // And that one's resend is a repetition of it, not of the first.
        let again = story.press(&named, payload);
        assert_eq!((is_new(&again), key(again)), (false, key(judgement.clone())));
        is_doubtful(&judgement)
    };
    let late = another(|story| {
        story.wait(3600);
        1
    });
    let later_by_a_second = another(|story| {
        story.wait(31);
        1
    });
    let now_an_emergency = another(|story| {
        story.what = (PressKind::Emergency, Key::Main);
        2
    });
    let another_key = another(|story| {
        story.what.1 = Key::Aux1;
        1
    });
    assert_eq!([late, later_by_a_second, now_an_emergency, another_key], [false; 4]);
    let other_bytes = another(|_| 2);
    assert!(other_bytes, "the same name, kind and key: it counts, on the same card");
}

#[test]
fn a_name_that_the_memory_forgot_is_known_by_what_is_recorded() {
    let story = Story::new();
    let named = Evidence::Named("a1-1".to_owned());
    let ago = |seconds| story.now - SignedDuration::from_secs(seconds);
    let recorded = |kind, seconds| Recorded { kind, key: Key::Main, received_at: ago(seconds) };
    let judged = |recorded| {
        let delivery = Story::new().delivery(1);
        judge(&story.memory, &story.seen(&named), &delivery, Some(recorded)).0
    };
    assert_eq!(judged(recorded(PressKind::Single, 29)), Judgement::Repeat { press_key: "a1-1".to_owned() });
    for other in [recorded(PressKind::Single, 31), recorded(PressKind::Shake, 1), recorded(PressKind::Long, 90_000)] {
        let judgement = judged(other);
        assert!(reuses_id(&judgement), "{other:?}");
        assert_ne!(key(judgement), "a1-1");
    }
}

#[test]
fn a_resend_on_a_new_connection_within_a_second_is_a_repetition() {
    let mut story = Story::new();
    let first = story.delivery(1);
    let rang = story.judge(&counted(1, None), &first);
    story.wait(1);
    story.reconnect();
    let resent = story.resend(&first, true);
    let again = story.judge(&counted(1, None), &resent);
    assert!(!is_new(&again));
    assert_eq!(key(again), key(rang));
}

#[test]
fn a_first_press_after_an_unseen_reboot_rings_after_thirty_seconds_with_a_key_of_its_own() {
    let mut story = Story::new();
    let before = story.press(&counted(1, None), 1);
    story.wait(31);
    let after = story.press(&counted(1, None), 1);
    assert!(is_new(&before) && is_new(&after));
    assert_ne!(key(before), key(after));
}

#[test]
fn another_uptime_is_another_press_even_a_second_later() {
    let mut story = Story::new();
    assert!(is_new(&story.press(&counted(1, Some(50_000)), 1)));
    story.wait(1);
    assert!(is_new(&story.press(&counted(1, Some(900)), 2)));
}

#[test]
fn an_equal_late_uptime_is_believed_for_thirty_seconds_doubted_for_ten_minutes_and_no_longer() {
    let mut story = Story::new();
    let first = story.delivery(1);
    story.judge(&counted(4, Some(50_000)), &first);
    let mut judged = |wait| {
        story.wait(wait);
        story.reconnect();
        let resent = story.resend(&first, true);
        let (judgement, _) = judge(&story.memory, &story.seen(&counted(4, Some(50_000))), &resent, None);
        (is_new(&judgement), is_doubtful(&judgement))
    };
    assert_eq!(judged(30), (false, false));
    assert_eq!(judged(500), (true, true));
    assert_eq!(judged(100), (true, false));
}

#[test]
fn a_device_that_boots_for_each_press_rings_each_time() {
    let mut story = Story::new();
    for _ in 0..5 {
        story.packet_id = 0;
        story.reconnect();
        assert!(is_new(&story.press(&counted(1, Some(350)), 1)), "same counter, uptime, packet id, payload");
        story.wait(31);
    }
}

#[test]
fn a_shake_right_after_a_reboot_rings_though_its_counter_is_known() {
    let mut story = Story::new();
    story.press(&counted(1, None), 1);
    story.wait(5);
    story.reconnect();
    assert!(is_new(&story.press(&counted(1, None), 2)));
}

#[test]
fn a_boot_message_makes_the_same_counter_ring_at_once() {
    let mut story = Story::new();
    let first = story.press(&counted(1, None), 1);
    story.wait(3);
    story.reconnect();
    story.health(&Vitals { booted: true, ..Vitals::default() });
    let second = story.press(&counted(1, None), 1);
    assert!(is_new(&second));
    assert_ne!(key(first), key(second));
}

#[test]
fn an_uptime_that_went_back_in_a_status_makes_the_same_counter_ring_at_once() {
    let mut story = Story::new();
    story.health(&Vitals { uptime_ms: Some(90_000), ..Vitals::default() });
    story.press(&counted(1, None), 1);
    story.health(&Vitals { uptime_ms: Some(2_000), ..Vitals::default() });
    story.reconnect();
    assert!(is_new(&story.press(&counted(1, None), 1)));
}

#[test]
fn presses_out_of_order_all_ring_and_their_resends_do_not() {
    let mut story = Story::new();
    let mut sent = Vec::new();
    for counter in [5, 7, 6] {
        let delivery = story.delivery(counter);
        assert!(is_new(&story.judge(&counted(counter, None), &delivery)));
        sent.push((counter, delivery));
    }
    story.wait(2);
    for (counter, first) in sent {
        let resent = story.resend(&first, true);
        assert!(!is_new(&story.judge(&counted(counter, None), &resent)), "resend of {counter}");
    }
}

#[test]
fn a_counter_of_16_bits_may_wrap() {
    let mut story = Story::new();
    let mut keys = BTreeSet::new();
    for round in 0..3 {
        for counter in [65_534, 65_535, 0, 1] {
            let judgement = story.press(&counted(counter, None), counter + 10 * round);
            assert!(is_new(&judgement));
            assert!(keys.insert(key(judgement)));
            story.wait(40);
        }
    }
}

#[test]
fn without_identity_only_a_flagged_duplicate_of_the_same_packet_is_a_repetition() {
    let mut story = Story::new();
    let first = story.delivery(1);
    let rang = story.judge(&Evidence::Nothing, &first);
    story.wait(5);
    let resent = story.resend(&first, true);
    let again = story.judge(&Evidence::Nothing, &resent);
    assert!(is_new(&rang) && !is_new(&again));
    assert_eq!(key(rang), key(again));
    for different in [
        Delivery { dup: false, ..resent.clone() },
        Delivery { packet_id: None, ..resent.clone() },
        Delivery { payload_hash: 2, ..resent.clone() },
        Delivery { client_id: Some("another".to_owned()), ..resent.clone() },
        Delivery { received_at: first.received_at + SignedDuration::from_mins(11), ..resent.clone() },
    ] {
        let (judgement, _) = judge(&story.memory, &story.seen(&Evidence::Nothing), &different, None);
        assert!(is_new(&judgement), "{different:?}");
    }
}

#[test]
fn a_counter_stated_every_thirty_seconds_rings_once_until_it_changes() {
    let mut story = Story::new();
    let stated = |input, counter| Evidence::Standing { input, counter };
    assert!(is_new(&story.press(&stated(0, 4), 1)));
    assert!(is_new(&story.press(&stated(1, 4), 2)), "another input counts for itself");
    for _ in 0..100 {
        story.wait(30);
        story.reconnect();
        assert!(!is_new(&story.press(&stated(0, 4), 1)));
        assert!(!is_new(&story.press(&stated(1, 4), 2)));
    }
    assert!(is_new(&story.press(&stated(0, 5), 3)));
}

#[test]
fn a_stated_counter_seen_at_zero_rings_when_it_comes_back_to_its_old_figure() {
    let mut story = Story::new();
    let stated = Evidence::Standing { input: 0, counter: 1 };
    let before = story.press(&stated, 1);
    story.health(&Vitals { standing: Some((0, 0)), ..Vitals::default() });
    let after = story.press(&stated, 1);
    assert!(is_new(&after));
    assert_ne!(key(before), key(after));
}

#[test]
fn a_stated_counter_with_another_kind_of_press_is_another_press() {
    let mut story = Story::new();
    let stated = Evidence::Standing { input: 0, counter: 1 };
    let first = story.press(&stated, 1);
    story.wait(3600);
    story.what.0 = PressKind::Emergency;
    let second = story.press(&stated, 2);
    assert!(is_new(&second));
    assert_ne!(key(first), key(second));
    story.wait(30);
    assert!(!is_new(&story.press(&stated, 2)), "an emergency that is stated again and again rings once");
}

#[test]
fn a_lost_memory_does_not_lead_to_a_key_that_was_used() {
    let mut story = Story::new();
    for evidence in [counted(1, None), framed(1, None), Evidence::Standing { input: 0, counter: 1 }, Evidence::Nothing]
    {
        let before = story.press(&evidence, 1);
        story.wait(60);
        story.memory = Memory::default();
        let after = story.press(&evidence, 1);
        assert!(is_new(&after));
        assert_ne!(key(before), key(after));
    }
}

#[test]
fn a_memory_of_an_earlier_version_is_read() {
    let memory: Memory = serde_json::from_str(r#"{"boot": 3, "forgotten": true}"#).expect("tolerant");
    assert_eq!(memory.boot, 3);
    let before = r#"{"recent": [{"key": "b1-1", "counter": 1, "uptime_ms": null, "proven_boots": 0, "connection": 1,
        "client_id": "c", "packet_id": 1, "payload_hash": 7, "at": "2026-11-21T10:30:00Z"}]}"#;
    let memory: Memory = serde_json::from_str(before).expect("tolerant");
    assert_eq!(memory.recent[0].seen.counter, Some(1));
}

/// A press number that comes again within half a minute, and what lies between.
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
        ("after a goodbye with DUP", again(Story::sleep_and_wake, 1, true, true, false)),
        (
            "after a status with an uptime of two seconds",
            again(
                |story| {
                    story.reconnect();
                    story.health(&Vitals { uptime_ms: Some(2_000), ..Vitals::default() });
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
                |story| story.health(&Vitals { uptime_ms: Some(60_000), ..Vitals::default() }),
                1,
                true,
                false,
                false,
            ),
        ),
        ("as another kind of press", again(|story| story.what.0 = PressKind::Double, 1, true, true, false)),
        ("on another key", again(|story| story.what.1 = Key::Aux2, 1, true, true, false)),
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
        let (judgement, _) = judge(&story.memory, &story.seen(&Evidence::Nothing), &resent, None);
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
    story.health(&Vitals { booted: true, ..Vitals::default() });
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
        let (repeated, memory) = judge_recording(&story.memory, &delivery);
        story.memory = memory;
        story.wait(20);
        repeated
    };
    assert!(!is_repeated(1, false));
    assert!(is_repeated(1, true), "sent again");
    assert!(!is_repeated(2, true), "another, of which the first delivery was lost");
    assert!(is_repeated(2, false));
}

/// How a device tells its presses apart.
#[derive(Clone, Copy, Debug)]
enum Dialect {
    Named,
    Counted,
    Framed,
    RadioCounter,
    /// At `QoS` 1.
    Plain,
    /// At `QoS` 0, by a bridge.
    Bridged,
}

fn dialect() -> impl Strategy<Value = Dialect> {
    use Dialect::{Bridged, Counted, Framed, Named, Plain, RadioCounter};
    proptest::sample::select(vec![Named, Counted, Framed, RadioCounter, Plain, Bridged])
}

impl Dialect {
    fn evidence(self, number: u64) -> Evidence {
        match self {
            Self::Named => Evidence::Named(format!("b-{number}")),
            Self::Counted => counted(number, None),
            Self::Framed => framed(number, None),
            Self::RadioCounter => framed(3 * number, Some(number)),
            Self::Plain | Self::Bridged => Evidence::Nothing,
        }
    }

    /// The same for equal presses where nothing tells them apart.
    fn payload(self, number: u64, kind: PressKind, key: Key) -> u64 {
        match self {
            Self::Named | Self::Counted | Self::Framed | Self::RadioCounter => 1000 + number,
            Self::Plain | Self::Bridged => 10 * kind as u64 + key as u64,
        }
    }

    /// A network server gives a frame another deduplication id each time.
    fn payload_again(self, first: &Delivery, wait: u64) -> u64 {
        match self {
            Self::Framed | Self::RadioCounter => 1_000_000 + wait,
            Self::Named | Self::Counted | Self::Plain | Self::Bridged => first.payload_hash,
        }
    }

    fn packet_id(self, number: u64) -> Option<u16> {
        let numbered = || u16::try_from(number + 1).ok();
        match self {
            Self::Named | Self::Counted | Self::Plain => numbered(),
            Self::Framed | Self::RadioCounter | Self::Bridged => None,
        }
    }

    fn has_resends(self) -> bool {
        match self {
            Self::Named | Self::Counted | Self::Plain => true,
            Self::Framed | Self::RadioCounter | Self::Bridged => false,
        }
    }

    /// The longest wait between two repetitions of which there are two at most, in seconds.
    fn longest_s(self) -> u8 {
        match self {
            Self::Named | Self::Counted => 15,
            Self::Framed | Self::RadioCounter => 60,
            Self::Plain | Self::Bridged => 1,
        }
    }
}

/// A press with what tells it from the one before: 3 s at least, which two equal ones without an identity need.
fn distinct() -> impl Strategy<Value = (PressKind, Key, u8)> {
    let kinds = vec![PressKind::Single, PressKind::Double, PressKind::Long, PressKind::Shake, PressKind::Emergency];
    let keys = vec![Key::Main, Key::Aux1, Key::Aux2];
    (proptest::sample::select(kinds), proptest::sample::select(keys), 3_u8..90)
}

fn repetitions() -> impl Strategy<Value = Vec<(u8, bool)>> {
    proptest::collection::vec((any::<u8>(), any::<bool>()), 0..3)
}

/// What happens in a generated story.
#[derive(Clone, Debug)]
enum Event {
    /// Pressed, and delivered `1 + resends` times, each after a pause in seconds, perhaps on a new connection.
    Press { resends: Vec<(u8, bool)>, pause: u8 },
    /// Restarted with counter and uptime from the start; the evidence is a boot message or the uptime.
    Reboot { says_so: bool },
}

fn event() -> impl Strategy<Value = Event> {
    let resends = proptest::collection::vec((0_u8..9, any::<bool>()), 0..3);
    prop_oneof![
        4 => (resends, 0_u8..60).prop_map(|(resends, pause)| Event::Press { resends, pause }),
        1 => any::<bool>().prop_map(|says_so| Event::Reboot { says_so }),
    ]
}

proptest! {
    #[test]
    fn each_press_is_new_exactly_once_through_resends_and_reboots_that_leave_evidence(
        events in proptest::collection::vec(event(), 1..40),
        external in any::<bool>(),
        uptime_in_presses in any::<bool>(),
        wraps_at in prop_oneof![Just(4_u64), Just(65_536)],
    ) {
        let mut story = Story { external, ..Story::new() };
        let (mut counter, mut uptime) = (0_u64, 400_u64);
        let mut keys = BTreeSet::new();
        let mut payload = 0;
        for event in events {
            match event {
                Event::Press { resends, pause } => {
                    counter = (counter + 1) % wraps_at;
                    payload += 1;
                    let evidence = counted(counter, uptime_in_presses.then_some(uptime));
                    let first = story.delivery(payload);
                    let rang = story.judge(&evidence, &first);
                    prop_assert!(is_new(&rang));
                    let rang = key(rang);
                    prop_assert!(keys.insert(rang.clone()), "key {rang} given twice");
                    for (seconds, reconnects) in resends {
                        story.wait(i64::from(seconds));
                        uptime += u64::from(seconds) * 1000;
                        if reconnects {
                            story.reconnect();
                        }
                        let resent = story.resend(&first, !external);
                        let again = story.judge(&evidence, &resent);
                        prop_assert!(!is_new(&again));
                        prop_assert_eq!(key(again), rang.clone());
                    }
                    // A small ring of counters must not come round within the window.
                    let pause = if wraps_at < 100 { i64::from(pause) + 31 } else { i64::from(pause) };
                    story.wait(pause);
                    uptime += u64::try_from(pause).expect("positive") * 1000 + 17;
                }
                Event::Reboot { says_so } => {
                    story.reconnect();
                    story.health(&Vitals { uptime_ms: Some(uptime), ..Vitals::default() });
                    (counter, uptime) = (0, 300);
                    story.packet_id = 0;
                    story.health(&if says_so {
                        Vitals { booted: true, ..Vitals::default() }
                    } else {
                        Vitals { uptime_ms: Some(uptime), ..Vitals::default() }
                    });
                    uptime += 5;
                }
            }
        }
    }

    #[test]
    fn resends_and_echoes_of_n_presses_are_n_presses(
        presses in proptest::collection::vec((distinct(), repetitions()), 1..30),
        dialect in dialect(),
    ) {
        let mut story = Story::new();
        let mut keys = BTreeSet::new();
        let mut counted = 0;
        for (number, ((kind, key_of, pause), repetitions)) in presses.into_iter().enumerate() {
            let number = u64::try_from(number).expect("few");
            story.what = (kind, key_of);
            story.wait(i64::from(pause));
            let evidence = dialect.evidence(number);
            let payload = dialect.payload(number, kind, key_of);
            let first = Delivery { packet_id: dialect.packet_id(number), ..story.delivery(payload) };
            let rang = story.judge(&evidence, &first);
            prop_assert!(is_new(&rang) && !is_doubtful(&rang), "press {number} is swallowed or doubted");
            prop_assert!(keys.insert(key(rang.clone())));
            counted += 1;
            for (wait, reconnects) in repetitions {
                story.wait(i64::from(wait % (dialect.longest_s() + 1)));
                let reconnects = reconnects && dialect.has_resends();
                if reconnects {
                    story.reconnect();
                }
                // Who resends says so; what comes at once is an echo.
                let dup = reconnects || (dialect.has_resends() && wait > 2);
                let again = Delivery {
                    payload_hash: dialect.payload_again(&first, u64::from(wait)),
                    ..story.resend(&first, dup)
                };
                let again = story.judge(&evidence, &again);
                if is_new(&again) {
                    counted += 1;
                }
                prop_assert_eq!(key(again), key(rang.clone()));
            }
        }
        prop_assert_eq!(counted, keys.len());
    }

    #[test]
    fn a_reboot_without_evidence_never_swallows_a_press_later_than_thirty_seconds(
        lives in proptest::collection::vec((1_u64..12, 31_i64..400), 1..12),
        external in any::<bool>(),
        same_payload in any::<bool>(),
    ) {
        let mut story = Story { external, ..Story::new() };
        let mut keys = BTreeSet::new();
        for (presses, pause) in lives {
            story.reconnect();
            story.packet_id = 0;
            for counter in 1..=presses {
                story.wait(pause);
                let payload = if same_payload { 1 } else { counter };
                let judgement = story.press(&counted(counter, None), payload);
                prop_assert!(is_new(&judgement));
                prop_assert!(keys.insert(key(judgement)));
            }
        }
    }

    #[test]
    fn no_two_presses_ever_get_the_same_key(
        presses in proptest::collection::vec((0_u8..3, 0_u64..12, 0_i64..50, any::<bool>(), 0_u64..3), 1..80),
    ) {
        let mut story = Story::new();
        let mut keys = BTreeSet::new();
        for (which, counter, pause, dup, payload) in presses {
            story.wait(pause);
            let input = u8::try_from(counter).expect("small");
            let evidence = match which {
                0 => counted(counter, None),
                1 => Evidence::Standing { input, counter: payload },
                _ => Evidence::Nothing,
            };
            let delivery = Delivery { dup, ..story.delivery(payload) };
            let judgement = story.judge(&evidence, &delivery);
            let new = is_new(&judgement);
            let key = key(judgement);
            prop_assert_eq!(keys.insert(key.clone()), new, "{}", key);
        }
    }
}
