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
}

impl Story {
    fn new() -> Self {
        Self {
            memory: Memory::default(),
            now: Timestamp::from_second(1_790_000_000).expect("in range"),
            connection: 1,
            packet_id: 0,
            external: false,
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn reconnect(&mut self) {
        self.connection += 1;
    }

    /// A fresh PUBLISH.
    fn delivery(&mut self, payload_hash: u64) -> Delivery {
        self.packet_id += 1;
        Delivery {
            connection: if self.external { 7 } else { self.connection },
            clean_start: true,
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
        Delivery { connection, dup, received_at: self.now, ..first.clone() }
    }

    fn judge(&mut self, evidence: &Evidence, delivery: &Delivery) -> Judgement {
        let (judgement, memory) = judge(&self.memory, evidence, &Vitals::default(), delivery);
        let kept = serde_json::to_string(&memory).expect("memory is JSON");
        assert!(kept.len() < 4096, "a memory of {} bytes", kept.len());
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

fn is_new(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::New { .. })
}

fn key(judgement: Judgement) -> String {
    match judgement {
        Judgement::New { press_key } | Judgement::Repeat { press_key } => press_key.expect("a key"),
    }
}

#[test]
fn a_named_press_repeats_under_its_name() {
    let mut story = Story::new();
    let named = Evidence::Named("a1-1".to_owned());
    assert!(is_new(&story.press(&named, 1)));
    story.wait(100_000);
    let again = story.press(&named, 1);
    assert!(!is_new(&again));
    assert_eq!(key(again), "a1-1");
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
fn the_same_late_uptime_is_the_same_press_an_hour_later() {
    let mut story = Story::new();
    let first = story.delivery(1);
    story.judge(&counted(4, Some(50_000)), &first);
    story.wait(3_600);
    story.reconnect();
    let resent = story.resend(&first, true);
    assert!(!is_new(&story.judge(&counted(4, Some(50_000)), &resent)));
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
    story.wait(1);
    let resent = story.resend(&first, true);
    let again = story.judge(&Evidence::Nothing, &resent);
    assert!(is_new(&rang) && !is_new(&again));
    assert_eq!(key(rang), key(again));
    for different in [
        Delivery { dup: false, ..resent.clone() },
        Delivery { packet_id: Some(99), ..resent.clone() },
        Delivery { packet_id: None, ..resent.clone() },
        Delivery { payload_hash: 2, ..resent.clone() },
        Delivery { client_id: Some("another".to_owned()), ..resent.clone() },
        Delivery { received_at: first.received_at + SignedDuration::from_mins(11), ..resent.clone() },
    ] {
        let (judgement, _) = judge(&story.memory, &Evidence::Nothing, &Vitals::default(), &different);
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
fn a_lost_memory_does_not_lead_to_a_key_that_was_used() {
    let mut story = Story::new();
    for evidence in [counted(1, None), Evidence::Standing { input: 0, counter: 1 }, Evidence::Nothing] {
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
