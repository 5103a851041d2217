//! Property tests on generated histories of a button, with resends, reboots and echoes.

use proptest::prelude::*;

use super::*;

/// The evidence that a device gives with its presses.
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

    /// The payload hash; equal for equal presses if the device gives no evidence.
    fn payload(self, number: u64, kind: PressKind, key: ButtonKey) -> u64 {
        match self {
            Self::Named | Self::Counted | Self::Framed | Self::RadioCounter => 1000 + number,
            Self::Plain | Self::Bridged => 10 * kind as u64 + key as u64,
        }
    }

    /// The payload hash of a repetition; a network server gives a frame another deduplication id each time.
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

    /// The longest delay between two repetitions, in seconds; there are two at most.
    fn longest_s(self) -> u8 {
        match self {
            Self::Named | Self::Counted => 15,
            Self::Framed | Self::RadioCounter => 60,
            Self::Plain | Self::Bridged => 1,
        }
    }
}

/// A press and its distance from the one before: 3 s at least, as two equal ones without evidence need.
fn distinct() -> impl Strategy<Value = (PressKind, ButtonKey, u8)> {
    let kinds = vec![PressKind::Single, PressKind::Double, PressKind::Long, PressKind::Shake, PressKind::Emergency];
    let keys = vec![ButtonKey::Main, ButtonKey::Aux1, ButtonKey::Aux2];
    (proptest::sample::select(kinds), proptest::sample::select(keys), 3_u8..90)
}

fn repetitions() -> impl Strategy<Value = Vec<(u8, bool)>> {
    proptest::collection::vec((any::<u8>(), any::<bool>()), 0..3)
}

/// An event of a generated history.
#[derive(Clone, Debug)]
enum Event {
    /// A press, delivered `1 + resends` times, each after a pause in seconds, perhaps on a new connection.
    Press { resends: Vec<(u8, bool)>, pause: u8 },
    /// A restart with counter and uptime from the start; the evidence is a boot message or the uptime.
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
                    // A small counter range must not wrap around within the window.
                    let pause = if wraps_at < 100 { i64::from(pause) + 31 } else { i64::from(pause) };
                    story.wait(pause);
                    uptime += u64::try_from(pause).expect("positive") * 1000 + 17;
                }
                Event::Reboot { says_so } => {
                    story.reconnect();
                    story.health(&Telemetry { uptime_ms: Some(uptime), ..Telemetry::default() });
                    (counter, uptime) = (0, 300);
                    story.packet_id = 0;
                    story.health(&if says_so {
                        Telemetry { booted: true, ..Telemetry::default() }
                    } else {
                        Telemetry { uptime_ms: Some(uptime), ..Telemetry::default() }
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
            let mut since = 0;
            for (wait, reconnects) in repetitions {
                let wait = wait % (dialect.longest_s() + 1);
                since += wait;
                story.wait(i64::from(wait));
                let reconnects = reconnects && dialect.has_resends();
                if reconnects {
                    story.reconnect();
                }
                // Resends have the DUP flag; immediate repetitions are echoes.
                let dup = reconnects || (dialect.has_resends() && since > 2);
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
