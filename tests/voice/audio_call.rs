//! Whole calls in simulated time, from the microphone of one person to the loudspeaker of the other.

#[path = "examples/quality/call.rs"]
mod call;
#[path = "examples/quality/score.rs"]
#[expect(dead_code, reason = "where what was heard begins is for PESQ")]
mod score;

use std::time::Duration;

use anyhow::Result;
use call::{Call, Network, Person, say};
use crewbell_desk::tone;
use crewbell_voice::audio::{
    DeviceState, Direction, Event, Options, SILENCE_DBFS, Treatment, device::ClockedDevice, speech::Speech,
};
use score::{Score, score};

const GOOD: ClockedDevice = ClockedDevice { rate: 48_000, channels: 1, period: 480, ppm: 0 };
/// No treatment of the microphone's sound: the tests measure the effect of the network.
const UNTREATED: Treatment = Treatment { echo: false, noise: false, gain: false };

fn untreated() -> Options {
    Options { treatment: UNTREATED, ..Options::default() }
}

fn speech(seconds: usize) -> Vec<f32> {
    let mut speech = Speech::new(7);
    // Half a second of silence at the start of the call.
    std::iter::repeat_n(0.0, 24_000).chain((24_000..seconds * 48_000).map(|_| speech.sample())).collect()
}

fn hear(network: Network) -> Result<(Score, call::Heard)> {
    let said = speech(20);
    let heard = say(&said, network, &untreated())?;
    let score = score(&said, &heard.samples);
    println!("{network:?}\n  {score:?}\n  {:?}", heard.statistics);
    println!("  {:.1} % of a core for each of the two", heard.cost * 50.0);
    Ok((score, heard))
}

#[test]
fn good_network_is_hardly_heard_and_the_way_is_short() {
    let (score, heard) = hear(Network { seed: 1, ..Network::default() }).unwrap();
    assert!(score.delay_ms < 100.0 && score.delay_95_ms < 110.0, "{score:?}");
    assert!(score.gaps_ms == 0 && score.found > 0.98 && score.distance_db < 4.0, "{score:?}");
    let counts = heard.statistics.reception.counts;
    assert_eq!((counts.lost, counts.late, counts.concealed_ms), (0, 0, 0));
    assert_eq!((heard.statistics.underruns, heard.statistics.overruns), (0, 0));
}

#[test]
fn every_twentieth_packet_lost_is_mostly_recovered() {
    let (score, heard) = hear(Network { loss: 5, seed: 2, ..Network::default() }).unwrap();
    let counts = heard.statistics.reception.counts;
    assert!(counts.lost > 20 && counts.recovered * 2 > counts.lost, "{counts:?}");
    assert!(score.delay_ms < 150.0 && score.gaps_ms <= 10 && score.distance_db < 5.0, "{score:?}");
}

#[test]
fn every_fifth_packet_lost_is_understood() {
    let (score, _) = hear(Network { loss: 20, seed: 3, ..Network::default() }).unwrap();
    assert!(score.gaps_ms < 100 && score.found > 0.9 && score.distance_db < 7.0, "{score:?}");
}

#[test]
fn jitter_with_overtaking_and_doubles_is_evened_out() {
    let (score, heard) = hear(Network { jitter_ms: 60, doubled: 10, seed: 4, ..Network::default() }).unwrap();
    let counts = heard.statistics.reception.counts;
    assert!(counts.duplicates > 40 && counts.late + counts.lost < 20, "{counts:?}");
    assert!(score.delay_95_ms < 200.0 && score.gaps_ms < 50 && score.found > 0.95, "{score:?}");
}

#[test]
fn two_seconds_of_outage_are_two_seconds_of_silence_and_no_more() {
    let (score, heard) = hear(Network { outage_ms: Some((8_000, 2_000)), seed: 5, ..Network::default() }).unwrap();
    assert!((1_000..2_100).contains(&score.gaps_ms), "{score:?}");
    assert!(score.delay_95_ms < 120.0 && score.distance_db < 4.0, "{score:?}");
    assert!(heard.statistics.reception.depth_ms < 60, "{:?}", heard.statistics);
}

#[test]
fn devices_of_other_rates_and_channels_and_clocks_are_heard_as_well() {
    let listener = ClockedDevice { rate: 44_100, channels: 2, period: 441, ppm: 150 };
    let mut call = Call::new(
        Person::new(&untreated(), Some(ClockedDevice { ppm: -150, ..GOOD }), Some(GOOD)).unwrap(),
        Person::new(&untreated(), Some(GOOD), Some(listener)).unwrap(),
        Network { seed: 6, ..Network::default() },
    );
    // Half a minute of a tone that Opus takes for a voice.
    let tones: Vec<f32> = (0_u32..48_000 * 30)
        .map(|at| {
            let turns = f32::from(u16::try_from(at % 480).unwrap()) * 4.0 / 480.0;
            0.3 * (std::f32::consts::TAU * turns).sin()
        })
        .collect();
    call.speaker.devices.say(&tones);
    call.run(Duration::from_secs(28));
    let heard = call.listener.devices.heard();
    let last = &heard[heard.len() - 44_100..];
    let strength = tone(last, 44_100, 400.0);
    assert!(strength > 0.2, "{strength}");
    let statistics = call.listener.engine.statistics();
    println!("{statistics:?}");
    assert!(statistics.reception.counts.concealed_ms < 100 && statistics.underruns < 4, "{statistics:?}");
    assert!((10..60).contains(&statistics.reception.depth_ms), "{statistics:?}");
}

#[test]
fn mute_and_push_to_talk_silence_and_volume_softens() {
    let mut call = Call::new(
        Person::new(&untreated(), Some(GOOD), Some(GOOD)).unwrap(),
        Person::new(&untreated(), Some(GOOD), Some(GOOD)).unwrap(),
        Network { seed: 7, ..Network::default() },
    );
    call.speaker.devices.say(&speech(60));
    let peak = |call: &mut Call| {
        // Earlier speech is still in flight.
        call.run(Duration::from_millis(700));
        drop(call.listener.devices.heard());
        call.run(Duration::from_secs(3));
        call.listener.devices.heard().into_iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
    };
    let loud = peak(&mut call);
    assert!(loud > 0.1, "{loud}");

    call.speaker.engine.set_muted(true);
    assert!(peak(&mut call) < 0.002, "muted");
    let levels = |person: &Person| {
        person.events.lock().unwrap().iter().rev().find_map(|event| match event {
            Event::Levels(levels) => Some(*levels),
            Event::Input(_) | Event::Output(_) => None,
        })
    };
    let told = call.speaker.events.lock().unwrap().len();
    call.run(Duration::from_secs(1));
    let more = call.speaker.events.lock().unwrap().len() - told;
    assert!((18..=21).contains(&more), "{more} levels a second");
    let heard_himself = call.speaker.events.lock().unwrap()[told..]
        .iter()
        .any(|event| matches!(event, Event::Levels(levels) if levels.input_dbfs > -30.0));
    assert!(heard_himself, "who is muted sees that he speaks");
    assert!(
        levels(&call.listener).is_some_and(|levels| levels.output_dbfs < -50.0 && levels.input_dbfs <= SILENCE_DBFS)
    );

    call.speaker.engine.set_muted(false);
    call.speaker.engine.set_push_to_talk(true);
    assert!(peak(&mut call) < 0.002, "the button isn't held");
    call.speaker.engine.hold(true);
    assert!(peak(&mut call) > 0.1);
    assert!(call.speaker.engine.speaking().is_open());
    call.listener.engine.set_volume(0.1);
    let soft = peak(&mut call);
    assert!(soft > 0.005 && soft < 0.2 * loud, "{soft} of {loud}");
}

#[test]
fn without_a_microphone_one_listens_and_without_a_speaker_one_is_heard() {
    let mut call = Call::new(
        Person::new(&untreated(), Some(GOOD), None).unwrap(),
        Person::new(&untreated(), None, Some(GOOD)).unwrap(),
        Network { seed: 8, ..Network::default() },
    );
    let said = speech(6);
    call.speaker.devices.say(&said);
    call.run(Duration::from_secs(7));
    let heard = call.listener.devices.heard();
    assert!(score(&said, &heard).found > 0.95);
    let missing = |person: &Person, input: bool| {
        person.events.lock().unwrap().iter().any(|event| match event {
            Event::Input(DeviceState::Missing { .. }) => input,
            Event::Output(DeviceState::Missing { .. }) => !input,
            Event::Input(_) | Event::Output(_) | Event::Levels(_) => false,
        })
    };
    assert!(missing(&call.listener, true) && !missing(&call.listener, false));
    assert!(missing(&call.speaker, false) && !missing(&call.speaker, true));
    // The side without a microphone still sends packets.
    assert!(call.listener.engine.statistics().sent > 10);

    // The missing devices are plugged in.
    call.listener.devices.plug(Direction::Input, "microphone", GOOD);
    call.speaker.devices.plug(Direction::Output, "speaker", GOOD);
    call.listener.devices.say(&speech(8));
    call.run(Duration::from_secs(6));
    let heard = call.speaker.devices.heard();
    assert!(heard.iter().any(|sample| sample.abs() > 0.1));
}

#[test]
fn device_that_is_pulled_out_in_mid_call_is_replaced() {
    let options = Options { output: Some("headset".to_owned()), ..untreated() };
    let mut call = Call::new(
        Person::new(&untreated(), Some(GOOD), Some(GOOD)).unwrap(),
        Person::new(&options, Some(GOOD), Some(GOOD)).unwrap(),
        Network { seed: 9, ..Network::default() },
    );
    call.listener.devices.plug(Direction::Output, "headset", GOOD);
    call.speaker.devices.say(&speech(30));
    call.run(Duration::from_secs(2));
    assert!(call.listener.devices.heard().iter().any(|sample| sample.abs() > 0.1));
    call.listener.devices.unplug(Direction::Output, "headset");
    call.run(Duration::from_secs(3));
    assert!(call.listener.devices.heard().iter().any(|sample| sample.abs() > 0.1), "by the other one");
    call.listener.devices.plug(Direction::Output, "headset", GOOD);
    call.run(Duration::from_secs(4));
    let told: Vec<_> = call
        .listener
        .events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Output(DeviceState::Open { name, instead_of }) => Some((name.clone(), instead_of.is_some())),
            Event::Output(DeviceState::Missing { .. }) | Event::Input(_) | Event::Levels(_) => None,
        })
        .collect();
    let expected = [("headset", false), ("speaker", true), ("headset", false)];
    assert_eq!(told, expected.map(|(name, instead)| (name.to_owned(), instead)));
}

#[test]
fn echo_of_who_speaks_does_not_come_back_to_them() {
    // The listener's microphone picks up their loudspeaker, a quarter as loud and 20 ms later.
    let back = |echo: bool| {
        let treatment = Treatment { echo, noise: echo, gain: false };
        let options = Options { treatment, ..Options::default() };
        let mut call = Call::new(
            Person::new(&untreated(), Some(GOOD), Some(GOOD)).unwrap(),
            Person::new(&options, Some(GOOD), Some(GOOD)).unwrap(),
            Network { seed: 10, ..Network::default() },
        );
        call.speaker.devices.say(&speech(20));
        call.listener.devices.say(&[0.0; 960]);
        let mut heard = Vec::new();
        for _ in 0..2_000 {
            call.run(Duration::from_millis(10));
            let played: Vec<f32> = call.listener.devices.heard().into_iter().map(|sample| sample * 0.25).collect();
            call.listener.devices.say(&played);
            heard.extend(call.speaker.devices.heard());
        }
        let last = &heard[heard.len() / 2..];
        last.iter().map(|sample| sample * sample).sum::<f32>()
    };
    let (with, without) = (back(true), back(false));
    let softer = 10.0 * (without / with.max(1e-9)).log10();
    println!("the echo that comes back is {softer:.1} dB softer");
    assert!(without > 1.0 && softer > 25.0, "{softer} dB, {without}");
}
