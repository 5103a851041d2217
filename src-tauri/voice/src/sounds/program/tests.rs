use crewbell_shared::request::Priority;
use uuid::Uuid;

use super::{
    super::{call_tone::CallTone, message::tests::wav, pattern::pattern},
    *,
};

const RATE: NonZero<u32> = NonZero::new(48_000).unwrap();

/// A source, and a device that pulls from it on demand.
struct Device {
    program: Program,
    stage: Stage,
}

impl Device {
    fn new() -> Self {
        let (program, stage) = program(RATE, Wake::default());
        Self { program, stage }
    }

    fn ring(&mut self, priority: Priority, requests: &[u128]) {
        let requests = requests.iter().map(|id| RequestId(Uuid::from_u128(*id))).collect();
        self.cue(Cue::Ring { pattern: pattern(priority, RATE.get()), gain: 1.0, requests });
    }

    fn play(&mut self, ms: u16) {
        let message = Box::new(Message::read(wav(440.0, ms), RATE.get()).unwrap());
        self.cue(Cue::Play { message, number: 7, gain: 1.0 });
    }

    fn call(&mut self, tone: Option<CallTone>) {
        let tone = tone.map(|tone| (tone.pattern(RATE.get()), tone.times()));
        self.cue(Cue::Call { tone, gain: 1.0 });
    }

    fn cue(&mut self, cue: Cue) {
        self.stage.cue(cue);
    }

    fn pull(&mut self, ms: u16) -> Vec<f32> {
        self.program.by_ref().take(frames(ms, RATE.get())).collect()
    }

    fn news(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.stage.news()).map(|news| format!("{news:?}")).collect()
    }
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

fn sounding(ids: &[u128]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| RequestId(Uuid::from_u128(*id))).collect();
    format!("{:?}", News::Sounding(ids))
}

#[test]
fn no_cue_is_lost_however_many_come_before_the_device_pulls() {
    let mut device = Device::new();
    for _ in 0..3 * ROOM {
        device.cue(Cue::Gains { ring: 1.0, message: 1.0 });
    }
    device.ring(Priority::Normal, &[1]);
    for _ in 0..4 {
        device.pull(100);
        if device.news() == [sounding(&[1])] {
            return;
        }
    }
    panic!("the alert behind them is never heard");
}

#[test]
fn request_sounds_when_its_first_sample_is_pulled_not_when_it_is_queued() {
    let mut device = Device::new();
    device.ring(Priority::Normal, &[1, 2]);
    assert!(device.news().is_empty());
    assert!(device.program.next().is_some());
    assert_eq!(device.news(), [sounding(&[1, 2])]);
    device.pull(9_000);
    assert!(device.news().is_empty(), "once, however often it is repeated");
}

#[test]
fn what_is_silent_sounds_for_nobody() {
    let mut device = Device::new();
    device.ring(Priority::Normal, &[1]);
    device.cue(Cue::Gains { ring: 0.0, message: 0.0 });
    device.pull(1_000);
    assert!(device.news().is_empty());
    // In the pause it would still be silent.
    device.cue(Cue::Gains { ring: 1.0, message: 1.0 });
    device.pull(2_000);
    assert!(device.news().is_empty());
    device.pull(1_100);
    assert_eq!(device.news(), [sounding(&[1])]);
}

#[test]
fn alert_grows_louder_with_each_repetition_and_an_emergency_is_full_at_once() {
    let mut device = Device::new();
    device.ring(Priority::High, &[1]);
    let peaks: Vec<f32> = (0..6).map(|_| peak(&device.pull(2_000))).collect();
    let expected = [0.36, 0.54, 0.72, 0.9, 0.9, 0.9];
    assert!(peaks.iter().zip(expected).all(|(peak, expected)| (peak - expected).abs() < 0.01), "{peaks:?}");

    let mut device = Device::new();
    device.ring(Priority::Emergency, &[1]);
    assert!(peak(&device.pull(400)) > 0.89);
    // No pause is longer than that between two notes.
    let longest = device
        .pull(2_000)
        .chunk_by(|a, b| (a.abs() < 0.01) == (b.abs() < 0.01))
        .filter(|run| run[0].abs() < 0.01)
        .map(<[f32]>::len)
        .max();
    assert!(longest < Some(frames(10, RATE.get())), "{longest:?}");
}

#[test]
fn who_joins_is_heard_at_once_and_no_softer() {
    let mut device = Device::new();
    device.ring(Priority::Low, &[1]);
    device.pull(8_000 + 8_000 + 3_000);
    assert!(peak(&device.pull(1_000)) < 1e-6, "in the pause");
    device.ring(Priority::Low, &[2]);
    assert!(peak(&device.pull(100)) > 0.7);
    assert_eq!(device.news(), [sounding(&[1]), sounding(&[2])]);
}

#[test]
fn alert_ends_within_a_fade_and_without_a_click() {
    let mut device = Device::new();
    device.ring(Priority::Emergency, &[1]);
    device.pull(90);
    device.cue(Cue::Quiet);
    let end = device.pull(50);
    let steepest = end.windows(2).fold(0.0_f32, |steepest, pair| steepest.max((pair[1] - pair[0]).abs()));
    // The slope of its own third harmonic.
    assert!(steepest < 0.25, "{steepest}");
    assert!(peak(&end[frames(10, RATE.get())..]) <= 0.0);
}

#[test]
fn message_waits_while_an_alert_sounds_and_loses_no_word() {
    let mut device = Device::new();
    device.play(3_000);
    device.pull(1_000);
    device.ring(Priority::Normal, &[1]);
    let alert = device.pull(600);
    assert!(crewbell_desk::tone(&alert[frames(50, RATE.get())..], RATE.get(), 440.0) < 0.01);
    // In the pause it resumes: 2 s are left of it, minus the fade.
    let rest = device.pull(1_900);
    assert!(crewbell_desk::tone(&rest, RATE.get(), 440.0) > 0.45);
    assert!(!device.news().iter().any(|news| news.contains("Ended")));
    device.pull(200);
    assert!(device.news().iter().any(|news| news.contains("Ended")));
}

#[test]
fn call_rings_until_it_is_stopped_and_then_not_a_moment_longer() {
    let mut device = Device::new();
    device.call(Some(CallTone::Ring));
    assert!(peak(&device.pull(900)) > 0.4);
    let later = device.pull(60_000);
    assert!(peak(&later[later.len() - frames(2_600, RATE.get())..]) > 0.85, "it rings on, and louder");
    device.call(Some(CallTone::Ring));
    device.pull(100);
    device.call(None);
    assert!(peak(&device.pull(50)[frames(10, RATE.get())..]) <= 0.0);
    assert!(peak(&device.pull(5_000)) <= 0.0 && device.news().is_empty());
}

#[test]
fn busy_tone_ends_by_itself_and_ringback_does_not() {
    let mut device = Device::new();
    device.call(Some(CallTone::Busy));
    let beeps = device.pull(8_000);
    let loud: Vec<bool> = beeps.chunks_exact(frames(20, RATE.get())).map(|part| peak(part) > 0.2).collect();
    assert_eq!(loud.windows(2).filter(|pair| pair[0] != pair[1]).count(), 9, "five beeps");
    device.call(Some(CallTone::Ringback));
    device.pull(60_000);
    assert!(peak(&device.pull(5_000)) > 0.2);
}

#[test]
fn call_waits_while_an_alert_sounds() {
    let mut device = Device::new();
    device.call(Some(CallTone::Ringback));
    device.pull(200);
    device.ring(Priority::Normal, &[1]);
    let alert = device.pull(600);
    assert!(crewbell_desk::tone(&alert[frames(50, RATE.get())..], RATE.get(), 425.0) < 0.01);
    let rest = device.pull(700);
    assert!(crewbell_desk::tone(&rest, RATE.get(), 425.0) > 0.2, "the rest of its second");
    device.ring(Priority::Emergency, &[2]);
    device.pull(100);
    assert!(crewbell_desk::tone(&device.pull(8_000), RATE.get(), 425.0) < 0.01, "an emergency has no pause");
}

#[test]
fn message_tells_its_position_four_times_a_second() {
    let mut device = Device::new();
    device.play(1_000);
    device.pull(1_100);
    let position = |ms| format!("{:?}", News::Position { number: 7, at: Duration::from_millis(ms) });
    let news = device.news();
    assert_eq!(news[..4], [position(0), position(250), position(500), position(750)]);
    assert!(news.last().is_some_and(|news| news.starts_with("Ended")), "{news:?}");
}

#[test]
fn test_sound_is_played_once_at_full_and_not_over_an_alert() {
    let mut device = Device::new();
    let once = || Cue::Once { pattern: pattern(Priority::High, RATE.get()), gain: 1.0 };
    device.cue(once());
    assert!(peak(&device.pull(2_000)) > 0.89);
    assert!(peak(&device.pull(2_000)) <= 0.0);
    device.ring(Priority::Low, &[1]);
    device.pull(2_000);
    device.cue(once());
    assert!(peak(&device.pull(2_000)) < 1e-6);
}
