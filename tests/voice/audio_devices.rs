//! Real audio devices on a sound server: one engine captures the sound played into the wire, the other plays it to the
//! speaker, where it is recorded.
//!
//! As in `sounds.rs`, each test runs itself again in a process in which ALSA finds the server.
#![cfg(target_os = "linux")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, OnceLock, Weak,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use crewbell_desk::{Process, RATE, Recording, Sound, tone, until};
use crewbell_voice::{
    Packet,
    audio::{AudioEngine, DeviceState, Direction, Event, Options, SystemDevices, Treatment},
};

/// Time limit for the replacement of a device that is gone. On an idle machine it takes half a second.
const REPLACED: Duration = Duration::from_secs(3);

const FOLDER: &str = "CREWBELL_TEST_FOLDER";

/// ALSA settings: the default device is the microphone and the speaker; the output of the headset is the sink
/// `headset`, which comes and goes.
const ASOUNDRC: &str = r#"
pcm.!default { type pulse hint { show on description "Default" } }
pcm.headset { type pulse device headset hint { show on description "Headset" } }
"#;

#[test]
fn what_the_microphone_hears_is_played_at_the_other_side_soon() -> Result<()> {
    at_a_desk("what_the_microphone_hears_is_played_at_the_other_side_soon", |folder| {
        let sound = Sound::start(folder)?;
        let ear = sound.record(Command::new("parec"))?;
        let call = Call::begin(&Options { treatment: UNTREATED, ..Options::default() })?;
        call.caller.open(Direction::Input)?;
        call.callee.open(Direction::Output)?;
        let _tone = play(folder, "wire", 440, 60)?;
        until("the tone at the speaker", || Ok((strength(&ear, 440.0)? > 0.1).then_some(())))?;
        // Five seconds show the faults that half a minute would show.
        let before = ear.samples()?.len();
        until("five seconds", || Ok((ear.samples()?.len() > before + 5 * 48_000).then_some(())))?;
        let heard: Vec<f32> = samples(&ear)?.split_off(before);
        let gaps = heard.chunks_exact(480).filter(|block| tone(block, RATE, 440.0) < 0.05).count();
        let (there, here) = (call.caller.engine.statistics(), call.callee.engine.statistics());
        println!(
            "{gaps} of {} blocks of 10 ms without the tone\nsender {there:?}\nlistener {here:?}",
            heard.len() / 480
        );
        // A machine that is busy with other things leaves gaps; the printed figures are for a reader.
        ensure!(gaps < heard.len() / 480 / 4, "{gaps} gaps");
        let loud = call
            .caller
            .events
            .try_iter()
            .any(|event| matches!(event, Event::Levels(levels) if levels.input_dbfs > -20.0));
        ensure!(loud, "the meter stood still");
        Ok(())
    })
}

#[test]
fn mouth_to_ear_is_short() -> Result<()> {
    at_a_desk("mouth_to_ear_is_short", |folder| {
        let sound = Sound::start(folder)?;
        let ear = sound.record(Command::new("parec"))?;
        // The input is recorded in the same way: only the difference between both recordings is the call's.
        let wire = folder.join("wire.raw");
        let mouth = Command::new("parec")
            .args(["--device=wire.monitor", "--format=s16le", "--channels=1", "--latency-msec=20"])
            .arg(format!("--rate={RATE}"))
            .stdout(fs::File::create(&wire)?)
            .spawn()?;
        let _mouth = Ended(mouth);
        let read = |path: &Path| -> Result<Vec<f32>> {
            let bytes = fs::read(path)?;
            Ok(bytes.as_chunks().0.iter().map(|sample| f32::from(i16::from_le_bytes(*sample)) / 32_768.0).collect())
        };
        let call = Call::begin(&Options { treatment: UNTREATED, ..Options::default() })?;
        call.caller.open(Direction::Input)?;
        call.callee.open(Direction::Output)?;
        let mut delays = Vec::new();
        for round in 0..8 {
            let (said_from, heard_from, began) = (read(&wire)?.len(), ear.samples()?.len(), Instant::now());
            let _burst = play(folder, "wire", 700 + 40 * round, 1)?;
            let onset = |samples: &[f32], from: usize| {
                samples.get(from..).and_then(|new| new.iter().position(|sample| sample.abs() > 0.1))
            };
            let heard = until("the burst at the speaker", || Ok(onset(&samples(&ear)?, heard_from)))?;
            let said = until("the burst in the wire", || Ok(onset(&read(&wire)?, said_from)))?;
            // Both recordings run without a pause, so the offset between them is constant.
            let (said_now, heard_now) = (read(&wire)?.len(), ear.samples()?.len());
            let (said_ago, heard_ago) = (said_now - said_from - said, heard_now - heard_from - heard);
            let lag = i32::try_from(said_ago)? - i32::try_from(heard_ago)?;
            delays.push(f64::from(lag) / 48.0);
            until("the end of the burst", || {
                Ok((began.elapsed() > Duration::from_millis(1_500)
                    && strength(&ear, 700.0 + 40.0 * f32::from(round))? < 0.01)
                    .then_some(()))
            })?;
        }
        delays.sort_by(f64::total_cmp);
        println!("mouth to ear: median {:.0} ms of {delays:.0?}", delays[delays.len() / 2]);
        println!("{:?}", call.callee.engine.statistics());
        ensure!(delays[delays.len() / 2] < 400.0, "{delays:?}");
        Ok(())
    })
}

#[test]
fn headset_that_goes_is_replaced_and_taken_again_when_it_comes() -> Result<()> {
    at_a_desk("headset_that_goes_is_replaced_and_taken_again_when_it_comes", |folder| {
        let sound = Sound::start(folder)?;
        let ear = sound.record(Command::new("parec"))?;
        let mut headset = load_headset()?;
        let options = Options { output: Some("Headset".to_owned()), treatment: UNTREATED, ..Options::default() };
        let call = Call::begin(&options)?;
        ensure!(call.callee.engine.devices(Direction::Output).iter().any(|name| name == "Headset"));
        call.callee.wait_for(Direction::Output, &open("Headset", None))?;
        let _tone = play(folder, "wire", 440, 90)?;

        // The machine may stall for a moment, but not in each of three attempts.
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            let gone = Instant::now();
            pactl(&["unload-module", &headset])?;
            call.callee.wait_for(Direction::Output, &open("Default Audio Device", Some("Headset")))?;
            fastest = fastest.min(gone.elapsed());
            println!("replaced after {:?}", gone.elapsed());
            until("the tone at the speaker", || Ok((strength(&ear, 440.0)? > 0.1).then_some(())))?;

            let came = Instant::now();
            headset = load_headset()?;
            call.callee.wait_for(Direction::Output, &open("Headset", None))?;
            println!("taken again after {:?}", came.elapsed());
            until("silence at the speaker", || Ok((strength(&ear, 440.0)? < 0.001).then_some(())))?;
            if fastest < REPLACED {
                return Ok(());
            }
        }
        bail!("replaced only after {fastest:?}")
    })
}

/// ALSA's whole configuration, since Debian's would replace any default by `PulseAudio`. The microphone belongs to
/// another user and can't be opened; the wire into which the caller speaks can.
const LOCKED: &str = r#"
pcm.null { type null }
pcm.default {
    type asym
    playback.pcm { type pulse }
    capture.pcm { type file slave.pcm null file /dev/null infile "@FOLDER@/locked" format raw }
    hint { show on description "Default" }
}
pcm.wire { type pulse device microphone hint { show on description "Wire" } }
"#;

#[test]
fn microphone_that_may_not_be_used_is_named_and_the_call_is_heard() -> Result<()> {
    at_a_desk_with("microphone_that_may_not_be_used_is_named_and_the_call_is_heard", Some(LOCKED), |folder| {
        fs::write(folder.join("locked"), [0; 4_800])?;
        fs::set_permissions(folder.join("locked"), fs::Permissions::from_mode(0o000))?;
        let sound = Sound::start(folder)?;
        let ear = sound.record(Command::new("parec"))?;
        let (there, here): (Peer, Peer) = Default::default();
        let options = Options { treatment: UNTREATED, ..Options::default() };
        let spoken = Options { input: Some("Wire".to_owned()), volume: 0.0, ..options.clone() };
        let callee = Side::begin(&options, &there, here.clone())?;
        let why = "This app may not use the microphone.".to_owned();
        let state = callee.next(Direction::Input)?;
        ensure!(state == DeviceState::Missing { why }, "{state:?}");
        callee.open(Direction::Output)?;
        let caller = Side::begin(&spoken, &here, there.clone())?;
        caller.wait_for(Direction::Input, &open("Wire", None))?;
        let _tone = play(folder, "wire", 440, 60)?;
        until("the tone at the speaker", || Ok((strength(&ear, 440.0)? > 0.1).then_some(())))?;
        // The microphone opens as soon as its permissions allow it.
        fs::set_permissions(folder.join("locked"), fs::Permissions::from_mode(0o400))?;
        callee.open(Direction::Input)
    })
}

#[test]
fn without_a_sound_server_the_call_lives_and_says_so() -> Result<()> {
    at_a_desk("without_a_sound_server_the_call_lives_and_says_so", |folder| {
        let call = Call::begin(&Options::default())?;
        for direction in [Direction::Input, Direction::Output] {
            let state = call.callee.next(direction)?;
            ensure!(matches!(&state, DeviceState::Missing { why } if !why.is_empty()), "{state:?}");
        }
        until("packets", || Ok((call.callee.engine.statistics().reception.counts.received > 2).then_some(())))?;
        let _sound = Sound::start(folder)?;
        call.callee.open(Direction::Input)?;
        call.callee.open(Direction::Output)
    })
}

const UNTREATED: Treatment = Treatment { echo: false, noise: false, gain: false };

/// Two engines in this process, each of which receives the other's packets.
struct Call {
    caller: Side,
    callee: Side,
}

struct Side {
    engine: Arc<AudioEngine>,
    events: Receiver<Event>,
}

impl Call {
    /// Starts both engines; the options are the callee's.
    fn begin(options: &Options) -> Result<Self> {
        let (there, here): (Peer, Peer) = Default::default();
        Ok(Self {
            // Muted: the recorder at the speaker hears only the callee.
            caller: Side::begin(&Options { output: None, volume: 0.0, ..options.clone() }, &here, there.clone())?,
            callee: Side::begin(options, &there, here.clone())?,
        })
    }
}

/// The other engine, once it exists.
type Peer = Arc<OnceLock<Weak<AudioEngine>>>;

impl Side {
    fn begin(options: &Options, own: &Peer, other: Peer) -> Result<Self> {
        let (sender, events) = channel();
        let send = move |packet: Packet| {
            if let Some(engine) = other.get().and_then(Weak::upgrade) {
                engine.receive(packet);
            }
        };
        let engine = Arc::new(AudioEngine::start(options, SystemDevices::default(), send, move |event| {
            drop(sender.send(event));
        })?);
        own.set(Arc::downgrade(&engine)).ok().context("one engine for each")?;
        Ok(Self { engine, events })
    }

    /// Returns the next state of a device.
    fn next(&self, direction: Direction) -> Result<DeviceState> {
        loop {
            match (self.events.recv_timeout(Duration::from_mins(1)).context("nothing is told")?, direction) {
                (Event::Input(state), Direction::Input) | (Event::Output(state), Direction::Output) => {
                    return Ok(state);
                }
                (Event::Input(_) | Event::Output(_) | Event::Levels(_), _) => {}
            }
        }
    }

    /// Waits until any device is open.
    fn open(&self, direction: Direction) -> Result<()> {
        while matches!(self.next(direction)?, DeviceState::Missing { .. }) {}
        Ok(())
    }

    fn wait_for(&self, direction: Direction, expected: &DeviceState) -> Result<()> {
        loop {
            let state = self.next(direction)?;
            println!("{state:?}");
            if state == *expected {
                return Ok(());
            }
        }
    }
}

fn open(name: &str, instead_of: Option<&str>) -> DeviceState {
    DeviceState::Open { name: name.to_owned(), instead_of: instead_of.map(str::to_owned) }
}

/// Plays a tone to a sink for a number of seconds.
fn play(folder: &Path, sink: &str, hertz: u16, seconds: u16) -> Result<Process> {
    let wav = folder.join(format!("{hertz}.wav"));
    let made = Command::new("sox")
        .args(["-n", "-r", "48000", "-c", "1", "-b", "16"])
        .arg(&wav)
        .args(["synth", &seconds.to_string(), "sine", &hertz.to_string(), "vol", "0.5"])
        .status()
        .context("sox is missing; `cargo xtask setup` installs it")?;
    ensure!(made.success());
    Process::start(Command::new("paplay").args(["--device", sink, "--latency-msec=20"]).arg(&wav), folder)
}

fn load_headset() -> Result<String> {
    Ok(pactl(&["load-module", "module-null-sink", "sink_name=headset"])?.trim().to_owned())
}

fn pactl(arguments: &[&str]) -> Result<String> {
    let run = Command::new("pactl").args(arguments).output()?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Ok(String::from_utf8(run.stdout)?)
}

fn samples(ear: &Recording) -> Result<Vec<f32>> {
    Ok(ear.samples()?.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect())
}

/// Returns the amplitude of a tone in the last 100 ms.
fn strength(ear: &Recording, hertz: f32) -> Result<f32> {
    let samples = samples(ear)?;
    Ok(tone(&samples[samples.len().saturating_sub(4_800)..], RATE, hertz))
}

struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs `story` in a process of its own, which finds `PulseAudio` in the folder that `story` gets, once it has been
/// started there.
fn at_a_desk(name: &str, story: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    at_a_desk_with(name, None, story)
}

/// Runs `story` as `at_a_desk` does, with these ALSA settings only.
fn at_a_desk_with(name: &str, settings: Option<&str>, story: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if let Some(folder) = env::var_os(FOLDER) {
        return story(&PathBuf::from(folder));
    }
    let folder = tempfile::Builder::new().prefix("crewbell-audio-").tempdir()?;
    fs::write(folder.path().join(".asoundrc"), ASOUNDRC)?;
    // Drops the capabilities by which root opens the files of others.
    let mut run = Command::new("setpriv");
    if let Some(settings) = settings {
        let file = folder.path().join("alsa.conf");
        fs::write(&file, settings.replace("@FOLDER@", &folder.path().to_string_lossy()))?;
        run.env("ALSA_CONFIG_PATH", file);
    }
    let run = run
        .args(["--inh-caps=-all", "--bounding-set=-all"])
        .arg(env::current_exe()?)
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
    Ok(())
}
