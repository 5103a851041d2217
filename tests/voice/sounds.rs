//! The bell on a real sound server whose speaker is recorded.
//!
//! ALSA finds the server by the environment, which a process can't change safely while it runs: each test runs itself
//! again in a process of its own, with a folder where a server may come and go.
#![cfg(target_os = "linux")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use crewbell_desk::{RATE, Recording, Sound, tone, until};
use crewbell_shared::{ids::RequestId, request::Priority};
use crewbell_voice::sounds::{Bell, CallTone, Report, Ringing};
use uuid::Uuid;

const FOLDER: &str = "CREWBELL_TEST_FOLDER";

#[test]
fn alert_is_heard_until_it_is_accepted_and_the_greatest_goes_before() -> Result<()> {
    at_a_desk("alert_is_heard_until_it_is_accepted_and_the_greatest_goes_before", |folder| {
        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let (bell, reports) = open();
        reports.wait_for(&Report::Able)?;

        bell.ring(vec![low(1)]);
        reports.wait_for(&sounding(1))?;
        ear.wait_for(659.3)?;

        bell.ring(vec![low(1), emergency(2)]);
        reports.wait_for(&sounding(2))?;
        ear.wait_for(1000.0)?;
        ear.wait_for(1600.0)?;

        bell.ring(vec![low(1)]);
        ear.wait_for(659.3)?;
        let rest = ear.next(300)?;
        ensure!([1000.0, 1600.0].iter().all(|hertz| tone(&rest, RATE, *hertz) < 0.01), "an accepted emergency is over");

        bell.ring(Vec::new());
        let tail = ear.next(500)?.iter().rposition(|sample| sample.abs() > 0.002).unwrap_or(0);
        println!("silent {} ms after the last was accepted", tail / frames(1));
        ensure!(tail < frames(150), "silent only after {} ms", tail / frames(1));

        let sounded = reports.all().into_iter().filter(|report| matches!(report, Report::Sounding { .. })).count();
        ensure!(sounded == 0, "each is reported once");
        Ok(())
    })
    .map(drop)
}

#[test]
fn without_a_sound_server_it_says_so_and_rings_when_one_comes() -> Result<()> {
    let said = at_a_desk("without_a_sound_server_it_says_so_and_rings_when_one_comes", |folder| {
        let began = Instant::now();
        let (bell, reports) = open();
        let Report::Unable { why } = reports.next()? else { bail!("able, with nothing to hear it by") };
        println!("unable after {:?}: {why}", began.elapsed());
        ensure!(began.elapsed() < Duration::from_secs(2));
        ensure!(why.starts_with("There is no sound output on this device"), "{why}");
        ensure!(bell.test(Priority::High) == Err(why));

        bell.ring(vec![ringing(1, Priority::Normal)]);
        bell.play(id(9), Vec::new());
        let Report::Playing { playing: false, trouble: Some(_), .. } = reports.next()? else { bail!("it plays") };

        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let came = Instant::now();
        reports.wait_for(&Report::Able)?;
        println!("able {:?} after the sound server came", came.elapsed());
        reports.wait_for(&sounding(1))?;
        ear.wait_for(784.0)?;
        ensure!(bell.test(Priority::High) == Ok(()));
        Ok(())
    })?;
    if let Some(said) = said {
        ensure!(!said.contains("ALSA"), "ALSA is heard on the terminal: {said}");
    }
    Ok(())
}

#[test]
fn lost_device_is_reported_and_the_alert_goes_on_when_it_is_back() -> Result<()> {
    at_a_desk("lost_device_is_reported_and_the_alert_goes_on_when_it_is_back", |folder| {
        let sound = Sound::start(folder)?;
        let (bell, reports) = open();
        bell.ring(vec![emergency(1)]);
        reports.wait_for(&Report::Able)?;
        reports.wait_for(&sounding(1))?;

        drop(sound);
        let lost = Instant::now();
        let Report::Unable { why } = reports.next()? else { bail!("able without a device") };
        println!("loss noticed after {:?}: {why}", lost.elapsed());
        ensure!(lost.elapsed() < Duration::from_millis(1500), "only noticed by its standing still");

        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        // The reported reason may change meanwhile.
        while reports.next()? != Report::Able {}
        ear.wait_for(1600.0)?;
        ensure!(!reports.all().contains(&sounding(1)), "each is reported once");
        Ok(())
    })
    .map(drop)
}

#[test]
fn bell_that_fails_begins_again_by_itself_and_what_rang_rings_on() -> Result<()> {
    at_a_desk("bell_that_fails_begins_again_by_itself_and_what_rang_rings_on", |folder| {
        let sound = Sound::start(folder)?;
        let (sender, reports): (Sender<Report>, _) = channel();
        let failed = AtomicBool::new(false);
        // The report callback runs on the bell's own thread.
        let bell = Bell::open(move |report| {
            let fails = matches!(report, Report::Sounding { .. }) && !failed.swap(true, Ordering::Relaxed);
            assert!(!fails, "the bell's thread fails in the middle of an alert");
            drop(sender.send(report));
        });
        let reports = Reports(reports);
        bell.ring(vec![emergency(1)]);
        reports.wait_for(&Report::Able)?;
        let Report::Unable { why } = reports.next()? else { bail!("it fails in silence") };
        ensure!(why.contains("started anew"), "{why}");
        reports.wait_for(&Report::Able)?;
        reports.wait_for(&sounding(1))?;
        let ear = Ear::open(&sound)?;
        ear.wait_for(1600.0)
    })
    .map(drop)
}

#[test]
fn device_that_swallows_sound_is_none() -> Result<()> {
    at_a_desk("device_that_swallows_sound_is_none", |folder| {
        fs::write(folder.join(".asoundrc"), "pcm.!default { type null }\n")?;
        let (bell, reports) = open();
        bell.ring(vec![emergency(1)]);
        let why = until("the verdict", || {
            Ok(match reports.next()? {
                Report::Unable { why } => Some(why),
                Report::Able | Report::Sounding { .. } | Report::Playing { .. } => None,
            })
        })?;
        ensure!(why.contains("swallows"), "{why}");
        Ok(())
    })
    .map(drop)
}

#[test]
fn switch_silences_all_and_volume_all_but_emergencies() -> Result<()> {
    at_a_desk("switch_silences_all_and_volume_all_but_emergencies", |folder| {
        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let (bell, reports) = open();
        reports.wait_for(&Report::Able)?;

        bell.set_volume(0.0);
        let Report::Unable { why } = reports.next()? else { bail!("able at volume zero") };
        ensure!(bell.test(Priority::High) == Err(why) && bell.test(Priority::Emergency) == Ok(()));
        bell.ring(vec![emergency(1)]);
        reports.wait_for(&sounding(1))?;
        ear.wait_for(1000.0)?;
        let peak = ear.samples()?.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        ensure!((0.4..0.5).contains(&peak), "half of {peak}");

        bell.set_sounds(false);
        let Report::Unable { why } = reports.next()? else { bail!("able though switched off") };
        ensure!(why == "Sounds are switched off on this device.", "{why}");
        ensure!(bell.test(Priority::Emergency) == Err(why));
        until("silence", || Ok((ear.strongest()? <= 0.0).then_some(())))?;

        bell.ring(vec![emergency(1), emergency(2)]);
        bell.set_volume(1.0);
        bell.set_sounds(true);
        reports.wait_for(&Report::Able)?;
        reports.wait_for(&sounding(2))?;
        ear.wait_for(1600.0)
    })
    .map(drop)
}

#[test]
fn message_is_heard_and_reported_to_its_end() -> Result<()> {
    at_a_desk("message_is_heard_and_reported_to_its_end", |folder| {
        let wav = folder.join("said.wav");
        let made = Command::new("sox")
            .args(["-n", "-r", "16000", "-c", "1", "-b", "16"])
            .arg(&wav)
            .args(["synth", "1.5", "sine", "440", "vol", "0.5"])
            .status()
            .context("sox is missing; `cargo xtask setup` installs it")?;
        ensure!(made.success());
        let wav = fs::read(wav)?;
        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let (bell, reports) = open();
        reports.wait_for(&Report::Able)?;

        bell.play(id(1), wav.clone());
        ear.wait_for(440.0)?;
        let mut positions = Vec::new();
        while let Report::Playing { request_id, position_ms, duration_ms, playing, trouble } = reports.next()? {
            ensure!(request_id == id(1) && duration_ms == 1500 && trouble.is_none(), "{trouble:?}");
            positions.push(position_ms);
            if !playing {
                break;
            }
        }
        println!("positions {positions:?}");
        ensure!(positions[..6] == [0, 250, 500, 750, 1000, 1250] && positions.len() == 7, "{positions:?}");
        ensure!(positions[6].abs_diff(1500) <= 1, "{positions:?}");

        // Stopped by the user.
        bell.play(id(2), wav.clone());
        let Report::Playing { playing: true, .. } = reports.next()? else { bail!("it doesn't begin") };
        bell.stop();
        while let Report::Playing { playing: true, .. } = reports.next()? {}

        // A truncated recording, and one that isn't a recording.
        bell.play(id(3), wav[..wav.len() / 2].to_vec());
        bell.play(id(4), b"<html>".to_vec());
        let mut troubles = Vec::new();
        bell.play(id(5), wav[..wav.len() / 2].to_vec());
        while troubles.len() < 2 {
            if let Report::Playing { request_id, playing: false, trouble: Some(trouble), .. } = reports.next()? {
                troubles.push((request_id, trouble));
            }
        }
        let expected = [
            (id(4), "The recording is damaged: it can't be read.".to_owned()),
            (id(5), "The recording is damaged: its end is missing.".to_owned()),
        ];
        ensure!(troubles == expected, "{troubles:?}");
        Ok(())
    })
    .map(drop)
}

#[test]
fn call_rings_until_it_is_answered_and_the_caller_hears_it_ring() -> Result<()> {
    at_a_desk("call_rings_until_it_is_answered_and_the_caller_hears_it_ring", |folder| {
        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let (bell, reports) = open();
        reports.wait_for(&Report::Able)?;
        let wait_for = |hertz: f32| {
            until(&format!("{hertz} Hz"), || {
                let samples = ear.samples()?;
                let last = &samples[samples.len().saturating_sub(frames(100))..];
                Ok((tone(last, RATE, hertz) > 0.05).then_some(()))
            })
        };
        bell.set_call(Some(CallTone::Ring));
        wait_for(698.5)?;
        wait_for(1174.7)?;
        // The ring repeats after its pause.
        ear.next(1_500)?;
        wait_for(880.0)?;
        bell.set_call(None);
        let tail = ear.next(500)?.iter().rposition(|sample| sample.abs() > 0.002).unwrap_or(0);
        println!("silent {} ms after it was answered", tail / frames(1));
        ensure!(tail < frames(150), "silent only after {} ms", tail / frames(1));
        for ringing in [CallTone::Ringback, CallTone::Busy] {
            bell.set_call(Some(ringing));
            wait_for(425.0)?;
        }
        // The busy tone ends by itself.
        ear.next(5_500)?;
        ensure!(ear.next(1_000)?.iter().all(|sample| sample.abs() < 0.002), "it beeps on");
        ensure!(reports.all().is_empty());
        Ok(())
    })
    .map(drop)
}

#[test]
fn alert_is_heard_within_a_blink() -> Result<()> {
    at_a_desk("alert_is_heard_within_a_blink", |folder| {
        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let (bell, reports) = open();
        reports.wait_for(&Report::Able)?;
        let (mut pulled, mut heard) = (Vec::new(), Vec::new());
        for number in 0..20 {
            let (asked, from) = (Instant::now(), ear.now()?);
            bell.ring(vec![ringing(number, Priority::High)]);
            reports.wait_for(&sounding(number))?;
            pulled.push(asked.elapsed().as_millis());
            let onset = until("the alert", || {
                Ok(ear.samples()?.get(from..).and_then(|new| new.iter().position(|sample| sample.abs() > 0.05)))
            })?;
            heard.push(onset / frames(1));
            bell.ring(Vec::new());
            until("silence", || Ok((ear.next(150)?.iter().all(|sample| sample.abs() < 0.002)).then_some(())))?;
        }
        pulled.sort_unstable();
        heard.sort_unstable();
        println!("ring to first sample pulled: median {} ms, longest {} ms", pulled[10], pulled[19]);
        println!(
            "ring to sound at the speaker, and the recorder's lag: median {} ms, longest {} ms",
            heard[10], heard[19]
        );
        ensure!(heard[10] < 250, "heard only after {heard:?}");
        Ok(())
    })
    .map(drop)
}

/// Returns the number of voluntary context switches of this process's threads except the calling one: each is a
/// wake-up.
fn sleeps() -> Result<u64> {
    let own = fs::read_link("/proc/thread-self")?;
    let mut all = 0;
    for thread in fs::read_dir("/proc/self/task")?.flatten() {
        if own.file_name() == Some(thread.file_name().as_os_str()) {
            continue;
        }
        // The thread may have ended meanwhile.
        let about = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let count =
            about.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok());
        all += count.unwrap_or_default();
    }
    Ok(all)
}

#[test]
fn a_bell_at_rest_lets_the_machine_sleep_and_rings_at_once_all_the_same() -> Result<()> {
    at_a_desk("a_bell_at_rest_lets_the_machine_sleep_and_rings_at_once_all_the_same", |folder| {
        let sound = Sound::start(folder)?;
        let ear = Ear::open(&sound)?;
        let (bell, reports) = open();
        reports.wait_for(&Report::Able)?;
        for number in 0..2 {
            let mut last = 0;
            until("a bell at rest", || {
                let before = sleeps()?;
                std::thread::sleep(Duration::from_secs(1));
                // The count drops when a thread has ended meanwhile.
                let Some(since) = sleeps()?.checked_sub(before) else { return Ok(None) };
                last = since;
                Ok((last < 25).then_some(()))
            })
            .with_context(|| format!("it wakes {last} times a second"))?;
            println!("at rest it wakes {last} times a second");
            let asked = Instant::now();
            bell.ring(vec![ringing(number, Priority::High)]);
            reports.wait_for(&sounding(number))?;
            println!("first sample pulled {:?} after it was asked", asked.elapsed());
            ear.wait_for(1318.5)?;
            bell.ring(Vec::new());
        }
        ensure!(reports.all().is_empty(), "that it rests is nothing to report");
        Ok(())
    })
    .map(drop)
}

/// Runs `story` in a process of its own, which finds `PulseAudio` in the folder that `story` gets, once it has been
/// started there; returns the output of that process. In that process it returns `None`.
fn at_a_desk(name: &str, story: impl FnOnce(&Path) -> Result<()>) -> Result<Option<String>> {
    if let Some(folder) = env::var_os(FOLDER) {
        return story(&PathBuf::from(folder)).map(|()| None);
    }
    let folder = tempfile::Builder::new().prefix("crewbell-bell-").tempdir()?;
    let run = Command::new(env::current_exe()?)
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("PULSE_SERVER", format!("unix:{}", folder.path().join("pulse.sock").display()))
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    ensure!(run.status.success(), "{said}");
    println!("{said}");
    Ok(Some(said))
}

/// The recorder at the speaker.
struct Ear(Recording);

impl Ear {
    fn open(sound: &Sound) -> Result<Self> {
        Ok(Self(sound.record(Command::new("parec"))?))
    }

    fn samples(&self) -> Result<Vec<f32>> {
        Ok(self.0.samples()?.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect())
    }

    /// Returns the number of samples recorded so far.
    fn now(&self) -> Result<usize> {
        Ok(self.0.samples()?.len())
    }

    /// Returns the next `ms` milliseconds of the recording.
    fn next(&self, ms: usize) -> Result<Vec<f32>> {
        let from = self.now()?;
        until("the recorder", || Ok(self.samples()?.get(from..from + frames(ms)).map(<[f32]>::to_vec)))
    }

    /// Returns the frequency of the strongest of our tones in the last 100 ms; 0 in silence.
    fn strongest(&self) -> Result<f32> {
        let samples = self.samples()?;
        let last = &samples[samples.len().saturating_sub(frames(100))..];
        Ok([440.0, 523.3, 659.3, 784.0, 1000.0, 1046.5, 1318.5, 1568.0, 1600.0]
            .into_iter()
            .map(|hertz| (hertz, tone(last, RATE, hertz)))
            .filter(|(_, strength)| *strength > 0.02)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(0.0, |(hertz, _)| hertz))
    }

    fn wait_for(&self, hertz: f32) -> Result<()> {
        until(&format!("{hertz} Hz"), || Ok((self.strongest()?.to_bits() == hertz.to_bits()).then_some(())))
    }
}

struct Reports(Receiver<Report>);

impl Reports {
    fn next(&self) -> Result<Report> {
        self.0.recv_timeout(Duration::from_secs(30)).context("no further report")
    }

    /// Checks that the next report is this one.
    fn wait_for(&self, expected: &Report) -> Result<()> {
        let report = self.next()?;
        ensure!(report == *expected, "{report:?} instead of {expected:?}");
        Ok(())
    }

    /// Returns the reports that have arrived.
    fn all(&self) -> Vec<Report> {
        self.0.try_iter().collect()
    }
}

fn open() -> (Bell, Reports) {
    let (sender, reports): (Sender<Report>, _) = channel();
    (Bell::open(move |report| drop(sender.send(report))), Reports(reports))
}

fn id(number: u128) -> RequestId {
    RequestId(Uuid::from_u128(number))
}

fn ringing(number: u128, priority: Priority) -> Ringing {
    Ringing { request_id: id(number), priority }
}

fn low(number: u128) -> Ringing {
    ringing(number, Priority::Low)
}

fn emergency(number: u128) -> Ringing {
    ringing(number, Priority::Emergency)
}

fn sounding(number: u128) -> Report {
    Report::Sounding { request_id: id(number) }
}

/// Returns the number of samples in a duration.
fn frames(ms: usize) -> usize {
    ms * 48
}
