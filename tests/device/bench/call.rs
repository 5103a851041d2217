//! Benchmarks of calls: time to ring, time until both sides hear each other, delay, gaps and processor time.
//!
//! Both devices use the microphone `wire` and the loudspeaker `speaker` of the same virtual sound server, so the
//! recording of the speaker holds what either of them plays.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use crewbell_core::screen::{Ask, Task};
use crewbell_desk::{RATE, tone};
use crewbell_shared::ids::{CallId, PersonId};
use crewbell_voice::session::impairment::Conditions;
use crewbell_voice::session::negotiation::MediaPath;
use tempfile::TempDir;

use crate::Options;
use crate::device::Device;
use crate::phone::Phone;
use crate::report::{Figure, Report};
use crate::ship::id;
use crate::signalling;
use crate::stage::Stage;
use crate::times::Times;

const PATIENCE: Duration = Duration::from_secs(20);

/// Samples that are searched for a tone at a time: 10 ms.
const BLOCK: usize = RATE as usize / 100;

/// Unit in which the Linux kernel counts processor time: hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    signalling::measure(stage, options, report).await?;
    if std::env::var(crate::AT_A_DESK).as_deref() != Ok("sound") {
        report.left_out("calls", "there is no sound server");
        return Ok(());
    }
    let room = Room::new()?;
    let (sam_phone, siri_phone) = (Phone::new(1), Phone::new(2));
    let sam = Device::with_phone(&stage.base(), "Sam", &sam_phone).await?;
    let siri = Device::with_phone(&stage.base(), "Siri", &siri_phone).await?;
    let line = Line { sam, siri, sam_phone, siri_phone, to: id(2) };

    let said = room.says(440, 3_600)?;
    let (mut rings, mut opened, mut heard, mut ended) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.many(30).max(3) {
        let (call_id, rang) = line.ring().await?;
        rings.push(rang);
        let at = room.heard()?.len();
        let answered = line.answer(call_id).await?;
        opened.push(answered);
        heard.push(room.first_tone(440.0, at).await?);
        ended.push(line.hang_up(call_id).await?);
        room.silence().await?;
    }
    report.add("call: tap to ringing on the other device", Times::of(rings)?).aim(100.0);
    report.add("call: answer to a way for packets on both sides", Times::of(opened)?);
    report.add("call: answer to first audio, as recorded", Times::of(heard)?).aim(400.0);
    report.add("call: hang up to silence on the other device's line", Times::of(ended)?);

    let idle = half_of_this_program(options).await?;
    let (call_id, _) = line.ring().await?;
    line.answer(call_id).await?;
    let percent = half_of_this_program(options).await? - idle;
    let row = report.add("call: one side's share of a core, in percent", Figure::Percent { percent });
    row.aim(5.0).floor("half of this program without a call, not in it", Figure::Percent { percent: idle });
    let back = line.change_networks().await?;
    report.add("call: heard again on both sides after the network went", Figure::ms(back)).aim(3_000.0);
    drop(said);
    for (loss, aim) in [(0.0, 120.0), (0.05, 180.0), (0.10, 0.0)] {
        for phone in [&line.sam_phone, &line.siri_phone] {
            phone.weather.set(Conditions { loss, ..Conditions::default() });
        }
        let delay = room.mouth_to_ear(options.many(20).max(4)).await?;
        let what = format!("call: mouth to ear at {:.0} % loss, median of bursts", loss * 100.0);
        let row = report.add(what, Figure::ms(delay));
        if aim > 0.0 {
            row.aim(aim);
        }
    }
    line.hang_up(call_id).await?;
    Ok(())
}

/// The devices of Sam and Siri.
struct Line {
    sam: Device,
    siri: Device,
    sam_phone: Arc<Phone>,
    siri_phone: Arc<Phone>,
    to: PersonId,
}

impl Line {
    /// Sam calls Siri; returns the call's id and the time until it rings.
    async fn ring(&self) -> Result<(CallId, Duration)> {
        let from = self.siri_phone.position();
        let tapped = Instant::now();
        self.sam.ask(Ask::Call { person_id: self.to, about: None }).await?;
        let (rang, task) = self.siri_phone.task(from, "it rings", |task| matches!(task, Task::Ring { .. })).await?;
        Ok((task.call_id().context("no call")?, rang - tapped))
    }

    /// Siri answers; returns the time until both sides have a media path.
    async fn answer(&self, call_id: CallId) -> Result<Duration> {
        let from = (self.sam_phone.position(), self.siri_phone.position());
        let tapped = Instant::now();
        self.siri.ask(Ask::Answer { call_id }).await?;
        let here = self.sam_phone.goes_by(from.0, MediaPath::Udp).await?;
        let there = self.siri_phone.goes_by(from.1, MediaPath::Udp).await?;
        Ok(here.max(there) - tapped)
    }

    /// Sam hangs up; returns the time until Siri's device has ended the call.
    async fn hang_up(&self, call_id: CallId) -> Result<Duration> {
        let from = self.siri_phone.position();
        let tapped = Instant::now();
        self.sam.ask(Ask::HangUp { call_id }).await?;
        let is_over = |task| !matches!(task, Task::Talk { .. });
        let (over, _) = self.siri_phone.task(from, "it is over", is_over).await?;
        // The next call starts when Sam's device is idle.
        let idle = |task: Task| task == Task::Idle;
        self.sam_phone.task(0, "Sam is idle", idle).await?;
        Ok(over - tapped)
    }

    /// Sam's device changes networks; returns the time until both sides hear each other again.
    async fn change_networks(&self) -> Result<Duration> {
        let from = (self.sam_phone.position(), self.siri_phone.position());
        let left = Instant::now();
        self.sam_phone.weather.leave_network();
        self.siri_phone.hears(from.1, false).await?;
        let from = (self.sam_phone.position().min(from.0 + 1), self.siri_phone.position());
        let there = self.siri_phone.hears(from.1, true).await?;
        let here = self.sam_phone.hears(from.0, true).await?;
        Ok(here.max(there) - left)
    }
}

/// Returns half of this program's processor time in percent of a core; the program holds both devices, whole, and the
/// server.
async fn half_of_this_program(options: &Options) -> Result<f64> {
    let used = || -> Result<f64> {
        let stat = fs::read_to_string("/proc/self/stat")?;
        let fields: Vec<&str> = stat.rsplit_once(')').context("no program")?.1.split_whitespace().collect();
        // Fields 14 and 15, utime and stime; the list here starts at the third field.
        let ticks: f64 =
            fields.get(11..13).context("no times")?.iter().filter_map(|text| text.parse::<f64>().ok()).sum();
        Ok(ticks / TICKS_A_SECOND)
    };
    let (before, began) = (used()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(if options.quick { 3 } else { 15 })).await;
    Ok((used()? - before) / began.elapsed().as_secs_f64() / 2.0 * 100.0)
}

/// The recordings of the wire and of the speaker, made in the same way.
struct Room {
    folder: TempDir,
    _ear: Ended,
    _mouth: Ended,
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Room {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewbell-bench-room-").tempdir()?;
        let record = |device: &str, name: &str| -> Result<Ended> {
            let recorder = Command::new("parec")
                .arg(format!("--device={device}.monitor"))
                .args(["--format=s16le", "--channels=1", "--latency-msec=20"])
                .arg(format!("--rate={RATE}"))
                .stdout(File::create(folder.path().join(name))?)
                .spawn()?;
            Ok(Ended(recorder))
        };
        let (ear, mouth) = (record("speaker", "heard")?, record("wire", "said")?);
        Ok(Self { _ear: ear, _mouth: mouth, folder })
    }

    /// Plays a tone into the microphone.
    fn says(&self, hertz: u16, seconds: u16) -> Result<Ended> {
        let wav: PathBuf = self.folder.path().join(format!("{hertz}-{seconds}.wav"));
        let made = Command::new("sox")
            .args(["-n", "-r", "48000", "-c", "1", "-b", "16"])
            .arg(&wav)
            .args(["synth", &seconds.to_string(), "sine", &hertz.to_string(), "vol", "0.5"])
            .stderr(Stdio::null())
            .status()?;
        ensure!(made.success(), "sox made no tone");
        let player = Command::new("paplay").args(["--device=wire", "--latency-msec=20"]).arg(&wav).spawn()?;
        Ok(Ended(player))
    }

    fn heard(&self) -> Result<Vec<f32>> {
        self.read("heard")
    }

    fn read(&self, name: &str) -> Result<Vec<f32>> {
        let bytes = fs::read(self.folder.path().join(name))?;
        Ok(bytes.as_chunks().0.iter().map(|sample| f32::from(i16::from_le_bytes(*sample)) / 32_768.0).collect())
    }

    /// Returns the time from an offset in the recording to the start of a tone.
    async fn first_tone(&self, hertz: f32, from: usize) -> Result<Duration> {
        let found = || -> Result<Option<usize>> {
            let heard = self.heard()?;
            let mut blocks = heard.get(from..).unwrap_or_default().chunks_exact(BLOCK);
            Ok(blocks.position(|block| tone(block, RATE, hertz) > 0.1))
        };
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(block) = found()? {
                return Ok(Duration::from_millis(10 * u64::try_from(block)?));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("nothing was heard")
    }

    /// Waits for a fifth of a second of silence.
    async fn silence(&self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let heard = self.heard()?;
            let last = &heard[heard.len().saturating_sub(20 * BLOCK)..];
            if last.iter().all(|sample| sample.abs() < 0.01) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("it doesn't fall silent")
    }

    /// Returns the median mouth-to-ear delay of several bursts.
    async fn mouth_to_ear(&self, bursts: usize) -> Result<Duration> {
        let onset = |samples: &[f32], from: usize| {
            samples.get(from..).and_then(|new| new.iter().position(|sample| sample.abs() > 0.1))
        };
        let mut delays = Vec::new();
        for _ in 0..bursts {
            self.silence().await?;
            let (said_from, heard_from) = (self.read("said")?.len(), self.heard()?.len());
            let burst = self.says(900, 1)?;
            let began = Instant::now();
            let (said, heard) = loop {
                let (said, heard) = (self.read("said")?, self.heard()?);
                if let Some(found) = onset(&said, said_from).zip(onset(&heard, heard_from)) {
                    // Both recordings run without a pause, so the age of a burst is its distance from the end.
                    break (said.len() - said_from - found.0, heard.len() - heard_from - found.1);
                }
                ensure!(began.elapsed() < PATIENCE, "the burst is lost");
                tokio::time::sleep(Duration::from_millis(30)).await;
            };
            delays
                .push(Duration::from_secs_f64(f64::from(u32::try_from(said.saturating_sub(heard))?) / f64::from(RATE)));
            drop(burst);
        }
        delays.sort_unstable();
        Ok(delays[delays.len() / 2])
    }
}
