mod again;
mod generated;

use std::collections::BTreeSet;

use super::*;

/// A button's connection, clock and dedup state.
struct Story {
    memory: DedupState,
    now: Timestamp,
    connection: u64,
    packet_id: u16,
    external: bool,
    /// The last connection that ended with a DISCONNECT.
    said_goodbye: Option<u64>,
    /// The kind and key of the presses from here on.
    what: (PressKind, ButtonKey),
}

impl Story {
    fn new() -> Self {
        Self {
            memory: DedupState::default(),
            now: Timestamp::from_second(1_790_000_000).expect("in range"),
            connection: 1,
            packet_id: 0,
            external: false,
            said_goodbye: None,
            what: (PressKind::Single, ButtonKey::Main),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn reconnect(&mut self) {
        self.connection += 1;
        self.said_goodbye = None;
    }

    /// Sends a DISCONNECT and connects again.
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

    /// The same PUBLISH again, now.
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
            vitals: Telemetry::default(),
            transcript: None,
            audio_url: None,
        }
    }

    fn judge(&mut self, evidence: &Evidence, delivery: &Delivery) -> Classification {
        let (judgement, memory) = classify(&self.memory, &self.seen(evidence), delivery, None);
        let kept = serde_json::to_string(&memory).expect("memory is JSON");
        assert!(kept.len() < 6144, "a memory of {} bytes", kept.len());
        self.memory = serde_json::from_str(&kept).expect("and back");
        assert_eq!(self.memory, memory);
        judgement
    }

    fn press(&mut self, evidence: &Evidence, payload_hash: u64) -> Classification {
        let delivery = self.delivery(payload_hash);
        self.judge(evidence, &delivery)
    }

    fn health(&mut self, vitals: &Telemetry) {
        self.memory = note_health(&self.memory, vitals, self.now);
    }
}

fn counted(counter: u64, uptime_ms: Option<u64>) -> Evidence {
    Evidence::Counted { counter, uptime_ms }
}

fn framed(frame: u64, counter: Option<u64>) -> Evidence {
    Evidence::Framed { frame, counter }
}

fn is_new(judgement: &Classification) -> bool {
    matches!(judgement, Classification::New { .. })
}

fn is_doubtful(judgement: &Classification) -> bool {
    matches!(judgement, Classification::New { doubtful: true, .. })
}

fn reuses_id(judgement: &Classification) -> bool {
    matches!(judgement, Classification::New { reuses_id: true, .. })
}

fn key(judgement: Classification) -> String {
    match judgement {
        Classification::New { press_key, .. } | Classification::Repeat { press_key } => press_key,
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
        is_new(&classify(&story.memory, &story.seen(&named), &resent, None).0)
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
        // The resend of that press repeats it, not the first one.
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
    let rebooted = another(|story| {
        story.wait(3600);
        story.reconnect();
        story.health(&Telemetry { uptime_ms: Some(4_000), ..Telemetry::default() });
        2
    });
    let now_an_emergency = another(|story| {
        story.what = (PressKind::Emergency, ButtonKey::Main);
        2
    });
    let another_key = another(|story| {
        story.what.1 = ButtonKey::Aux1;
        1
    });
    assert_eq!([late, later_by_a_second, rebooted, now_an_emergency, another_key], [false; 5]);
    let other_bytes = another(|_| 2);
    assert!(other_bytes, "the same name, kind and key: it counts, on the same card");
}

#[test]
fn a_name_that_the_memory_forgot_is_known_by_what_is_recorded() {
    let story = Story::new();
    let named = Evidence::Named("a1-1".to_owned());
    let ago = |seconds| story.now - SignedDuration::from_secs(seconds);
    let recorded = |kind, seconds| Recorded { kind, key: ButtonKey::Main, received_at: ago(seconds) };
    let judged = |recorded| {
        let delivery = Story::new().delivery(1);
        classify(&story.memory, &story.seen(&named), &delivery, Some(recorded)).0
    };
    assert_eq!(judged(recorded(PressKind::Single, 29)), Classification::Repeat { press_key: "a1-1".to_owned() });
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
        let (judgement, _) = classify(&story.memory, &story.seen(&counted(4, Some(50_000))), &resent, None);
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
    story.health(&Telemetry { booted: true, ..Telemetry::default() });
    let second = story.press(&counted(1, None), 1);
    assert!(is_new(&second));
    assert_ne!(key(first), key(second));
}

#[test]
fn an_uptime_that_went_back_in_a_status_makes_the_same_counter_ring_at_once() {
    let mut story = Story::new();
    story.health(&Telemetry { uptime_ms: Some(90_000), ..Telemetry::default() });
    story.press(&counted(1, None), 1);
    story.health(&Telemetry { uptime_ms: Some(2_000), ..Telemetry::default() });
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
        let (judgement, _) = classify(&story.memory, &story.seen(&Evidence::Nothing), &different, None);
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
    story.health(&Telemetry { standing: Some((0, 0)), ..Telemetry::default() });
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
        story.memory = DedupState::default();
        let after = story.press(&evidence, 1);
        assert!(is_new(&after));
        assert_ne!(key(before), key(after));
    }
}

#[test]
fn a_memory_of_an_earlier_version_is_read() {
    let memory: DedupState = serde_json::from_str(r#"{"boot": 3, "forgotten": true}"#).expect("tolerant");
    assert_eq!(memory.boot, 3);
    let before = r#"{"recent": [{"key": "b1-1", "counter": 1, "uptime_ms": null, "proven_boots": 0, "connection": 1,
        "client_id": "c", "packet_id": 1, "payload_hash": 7, "at": "2026-11-21T10:30:00Z"}]}"#;
    let memory: DedupState = serde_json::from_str(before).expect("tolerant");
    assert_eq!(memory.recent[0].seen.counter, Some(1));
}
