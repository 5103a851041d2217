//! Tests of the jitter buffer under simulated networks, with a listener that pulls 10 ms every 10 ms.

use proptest::prelude::*;

use super::*;

const FIRST_SEQUENCE: u16 = 65_500;
const FIRST_TIMESTAMP: u32 = u32::MAX - 10_000;

/// A listener that pulls as a loudspeaker does.
#[derive(Default)]
struct Listener {
    buffer: JitterBuffer,
    /// The duration that was fetched and not yet played.
    fetched: Ticks,
    /// The number and playback time of each played packet; recovered and concealed ones are only counted.
    played: Vec<(u32, Ticks)>,
    recovered: usize,
    made_up: Ticks,
}

impl Listener {
    /// Plays ten milliseconds at `now`.
    fn pull(&mut self, now: Ticks) {
        while self.fetched < BLOCK {
            let at = now + self.fetched;
            self.fetched += match self.buffer.next(at) {
                Step::Play(payload) => {
                    self.played.push((number(&payload), at));
                    // A pitch period of 5 ms stands for any voice.
                    let change = match self.buffer.pace() {
                        Pace::Keep => 0,
                        Pace::Shorten { .. } => -5 * MS,
                        Pace::Lengthen { .. } => 5 * MS,
                    };
                    self.buffer.stretched(change);
                    FRAME + change
                }
                Step::Recover(_, samples) => {
                    self.recovered += 1;
                    samples
                }
                Step::Conceal(samples) => {
                    self.made_up += samples;
                    samples
                }
                Step::Wait(samples) => samples,
            };
        }
        self.fetched -= BLOCK;
    }

    fn numbers(&self) -> Vec<u32> {
        self.played.iter().map(|(number, _)| *number).collect()
    }

    /// The delay from sending to playback of packet `number`.
    fn delay(&self, number: u32) -> Option<Ticks> {
        let (_, at) = self.played.iter().find(|(played, _)| *played == number)?;
        Some((at - Ticks::from(number) * FRAME) / MS)
    }
}

/// A payload that looks like hybrid Opus of 20 ms with redundancy in its first bytes; then its number.
fn payload(number: u32) -> Bytes {
    [&[15 << 3, 0b0100_0000][..], &number.to_be_bytes()].concat().into()
}

fn number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[2..6].try_into().unwrap())
}

fn packet(number: u32, sequence: u32) -> Packet {
    Packet {
        sequence: FIRST_SEQUENCE.wrapping_add((sequence & 0xffff).try_into().unwrap()),
        timestamp: FIRST_TIMESTAMP.wrapping_add(number.wrapping_mul(960)),
        payload: payload(number),
    }
}

/// Sends `count` packets; each arrives once for every delay, in milliseconds, that `arrivals` returns for its number.
fn listen(count: u32, arrivals: impl Fn(u32) -> Vec<Ticks>) -> Listener {
    listen_to(&(0..count).map(|number| (packet(number, number), arrivals(number))).collect::<Vec<_>>(), 0)
}

/// The same with given packets, and a sender whose clock is `ppm` fast.
fn listen_to(sent: &[(Packet, Vec<Ticks>)], ppm: Ticks) -> Listener {
    let mut arrivals: Vec<(Ticks, &Packet)> = Vec::new();
    for (packet, delays) in sent {
        let spoken = Ticks::from(number(&packet.payload)) * FRAME;
        let spoken = spoken - spoken * ppm / 1_000_000;
        arrivals.extend(delays.iter().map(|delay| (spoken + delay * MS, packet)));
    }
    arrivals.sort_by_key(|(at, _)| *at);
    let end = arrivals.last().map_or(0, |(at, _)| *at) + 300 * MS;
    let (mut listener, mut arrivals) = (Listener::default(), arrivals.into_iter().peekable());
    let mut now = 0;
    while now < end {
        while let Some((at, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
            listener.buffer.put(packet, at);
        }
        listener.pull(now);
        now += BLOCK;
    }
    listener
}

/// A pseudorandom number from 0 to `below`, determined by `seed`.
fn chance(seed: u32, below: u32) -> u32 {
    let mixed = (seed ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ mixed >> 13).wrapping_mul(0xc2b2_ae35);
    (mixed ^ mixed >> 16) % below
}

#[test]
fn steady_packets_are_all_played_in_their_order_one_frame_deep_over_the_wrap() {
    let listener = listen(500, |_| vec![30]);
    assert_eq!(listener.numbers(), (0..500).collect::<Vec<_>>());
    let counts = listener.buffer.counts();
    assert_eq!((counts.received, counts.played, counts.lost, counts.late, counts.concealed_ms), (500, 500, 0, 0, 0));
    // The network's 30 ms, one frame, and the tolerance.
    let delay = listener.delay(400).unwrap();
    assert!((50..=65).contains(&delay), "{delay} ms");
}

#[test]
fn reordered_and_doubled_packets_are_played_once_in_order() {
    let listener = listen(500, |n| if n % 7 == 3 { vec![70, 75] } else { vec![30, 31] });
    let numbers = listener.numbers();
    assert!(numbers.is_sorted() && numbers.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(numbers.len() > 490, "{} played", numbers.len());
    let counts = listener.buffer.counts();
    assert_eq!((counts.received, counts.duplicates), (1_000, 500));
}

#[test]
fn silence_of_the_sender_is_no_loss() {
    // Half a second of speech, a second of silence with a packet every 400 ms; sequence numbers have no gap.
    let mut sent = Vec::new();
    for number in 0..600 {
        if number % 75 < 25 || number % 20 == 0 {
            let sequence = u32::try_from(sent.len()).unwrap();
            sent.push((packet(number, sequence), vec![30 + Ticks::from(chance(number, 10))]));
        }
    }
    let listener = listen_to(&sent, 0);
    let counts = listener.buffer.counts();
    assert_eq!(listener.played.len(), sent.len());
    assert_eq!((counts.lost, counts.late, counts.recovered), (0, 0, 0));
    assert!(counts.concealed_ms < 60, "{} ms", counts.concealed_ms);
    assert!(listener.made_up > 4_000 * MS);
}

#[test]
fn lost_packets_are_recovered_from_the_next() {
    let listener = listen(1_000, |n| if n % 10 == 9 { vec![] } else { vec![30] });
    let counts = listener.buffer.counts();
    assert_eq!((counts.lost, counts.played), (99, 900));
    assert!(counts.recovered > 90, "{} of 99", counts.recovered);
}

#[test]
fn two_lost_in_a_row_are_one_made_up_and_one_recovered() {
    let listener = listen(1_000, |n| if n % 20 >= 18 { vec![] } else { vec![30] });
    let counts = listener.buffer.counts();
    assert_eq!(counts.lost, 98);
    assert!(counts.recovered > 44 && counts.concealed_ms.abs_diff(49 * 20) < 120, "{counts:?}");
}

#[test]
fn jitter_of_60_ms_costs_hardly_a_packet() {
    let listener = listen(3_000, |n| vec![20 + Ticks::from(chance(n, 60))]);
    let counts = listener.buffer.counts();
    println!("{counts:?}, {} ms deep", listener.buffer.delay() / MS);
    assert!(counts.late + counts.lost < 30, "{counts:?}");
    let late: Vec<_> = listener.played.iter().filter(|(n, _)| *n > 200).map(|(n, _)| listener.delay(*n)).collect();
    assert!(late.iter().flatten().all(|delay| *delay < 20 + 60 + 60), "{:?}", late.iter().max());
}

#[test]
fn depth_follows_the_jitter_up_and_down() {
    let listener = listen(3_000, |n| vec![20 + Ticks::from(if (500..1_000).contains(&n) { chance(n, 80) } else { 0 })]);
    let delay = |n| listener.delay(n).unwrap();
    let (before, meanwhile, after) = (delay(450), delay(900), delay(2_900));
    assert!(before <= 55 && (80..=140).contains(&meanwhile) && after <= 55, "{before}, {meanwhile}, {after} ms");
}

#[test]
fn two_seconds_without_a_packet_are_over_when_they_are_over() {
    // Once lost, and once held back and delivered at the same time.
    for stale in [false, true] {
        let listener = listen(1_000, |n| match (n, stale) {
            (500..600, false) => vec![],
            (500..600, true) => vec![20 + 20 * Ticks::from(600 - n)],
            (..500 | 600.., _) => vec![20],
        });
        let played = listener.numbers();
        let stale_ones = played.iter().filter(|n| (500..590).contains(*n)).count();
        assert_eq!(stale_ones, 0, "what is older than 200 ms isn't played");
        assert!(played.contains(&601), "the first after it is");
        let (first, second) = (listener.delay(605).unwrap(), listener.delay(700).unwrap());
        println!("delay {first} ms after the gap, {second} ms two seconds later, stale: {stale}");
        assert!(first < 250 && second < 60, "{first}, {second}");
    }
}

#[test]
fn clocks_that_differ_are_followed() {
    for ppm in [-200, 200] {
        let sent: Vec<_> = (0..30_000).map(|n| (packet(n, n), vec![20 + Ticks::from(chance(n, 5))])).collect();
        let listener = listen_to(&sent, ppm);
        let counts = listener.buffer.counts();
        assert!(counts.late + counts.lost + counts.dropped <= 3, "{ppm} ppm: {counts:?}");
        assert!(counts.concealed_ms < 200, "{ppm} ppm: {counts:?}");
        let delay = listener.buffer.delay() / MS;
        assert!((12..=50).contains(&delay), "{ppm} ppm: {delay} ms after ten minutes");
    }
}

#[test]
fn sender_that_begins_anew_is_heard_after_a_third_of_a_second() {
    let mut listener = Listener::default();
    for now in 0..400 {
        let now = now * 20 * MS;
        let n = u32::try_from(now / FRAME).unwrap();
        let restarted = n >= 200;
        let mut sent = packet(n, n);
        if restarted {
            sent.sequence = u16::try_from(n - 200).unwrap();
            sent.timestamp = 5 + (n - 200) * 960;
        }
        listener.buffer.put(&sent, now);
        listener.pull(now);
        listener.pull(now + BLOCK);
    }
    let first = listener.numbers().into_iter().find(|n| *n >= 200).unwrap();
    assert!((200..225).contains(&first), "{first}");
    assert!(listener.numbers().len() > 370);
}

#[test]
fn path_that_becomes_much_slower_is_followed() {
    let listener = listen(1_000, |n| vec![if n < 500 { 20 } else { 520 }]);
    let played = listener.numbers();
    assert!(played.iter().filter(|n| **n >= 500).count() > 460, "{}", played.len());
    let listener = listen(1_000, |n| vec![if n < 500 { 520 } else { 20 }]);
    let delay = listener.delay(999).unwrap();
    assert!(delay < 60, "{delay} ms");
}

#[test]
fn what_is_no_opus_is_refused() {
    let mut buffer = JitterBuffer::default();
    buffer.put(&Packet { sequence: 0, timestamp: 0, payload: Bytes::new() }, 0);
    assert_eq!((buffer.counts().refused, buffer.next(0)), (1, Step::Wait(BLOCK)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_the_network_does_order_holds_and_each_packet_is_accounted_for(
        seed in any::<u32>(),
        loss in 0_u32..60,
        jitter in 1_u32..300,
        doubled in 0_u32..50,
        outage in 0_u32..150,
        start in any::<u16>(),
    ) {
        let sent: Vec<_> = (0..600_u32).map(|n| {
            let chance = |what: u32, below| chance(seed ^ n.wrapping_mul(31) ^ what << 20, below);
            let mut arrivals = Vec::new();
            if chance(1, 100) >= loss && !(300..300 + outage).contains(&n) {
                arrivals.push(Ticks::from(chance(2, jitter)));
                if chance(3, 100) < doubled {
                    arrivals.push(Ticks::from(chance(4, 2 * jitter)));
                }
            }
            let mut packet = packet(n, n);
            packet.sequence = packet.sequence.wrapping_add(start);
            (packet, arrivals)
        }).collect();
        let listener = listen_to(&sent, 0);
        let numbers = listener.numbers();
        prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        let counts = listener.buffer.counts();
        let accounted = counts.played + counts.duplicates + counts.late + counts.dropped + counts.refused;
        prop_assert!(counts.received - accounted <= u64::try_from(listener.buffer.held.len()).unwrap(), "{counts:?}");
        prop_assert!(listener.buffer.held.len() <= HELD);
        for (number, at) in &listener.played {
            prop_assert!(at - Ticks::from(*number) * FRAME < 1_500 * MS, "{number} at {at}");
        }
    }

    #[test]
    fn nonsense_never_panics_and_is_never_hoarded(
        packets in proptest::collection::vec((any::<u16>(), any::<u32>(), proptest::collection::vec(any::<u8>(), 0..9), 0_i64..5_000), 1..400),
    ) {
        let (mut listener, mut now) = (Listener::default(), 0);
        for (sequence, timestamp, payload, wait) in packets {
            now += wait;
            listener.buffer.put(&Packet { sequence, timestamp, payload: payload.into() }, now);
            let step = listener.buffer.next(now);
            if let Step::Conceal(samples) | Step::Wait(samples) | Step::Recover(_, samples) = step {
                prop_assert!((1..=FRAME).contains(&samples));
            }
            prop_assert!(listener.buffer.held.len() <= HELD);
        }
    }
}
