//! Prints the processor time of a call on this machine, by thread, on a sound server without a sound card:
//! `cargo run --release -p crewbell-voice-tests --example cost`.
//!
//! Both sides of a call are in this process, connected over loopback, each with the real microphone, loudspeaker and
//! session. The printed figures are half of the process's: one side, without the sound server. The wire that feeds both
//! microphones carries speech all the time, which is the most expensive kind of call.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use crewbell_desk::{Process, Sound};
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_voice::audio;
use crewbell_voice::session::negotiation::{MediaPath, Role};
use crewbell_voice::session::{Addresses, Options, PeerOptions};
use crewbell_voice::talk::{CallEvent, MediaState, Talk};
use tokio::sync::watch;
use uuid::Uuid;

const FOLDER: &str = "CREWBELL_COST_FOLDER";
const ASOUNDRC: &str = "pcm.!default { type pulse }\n";
/// Time for codecs and buffers to adapt.
const SETTLING: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(20);
const CALL: CallId = CallId(Uuid::from_u128(1));

fn main() -> Result<()> {
    let Some(folder) = env::var_os(FOLDER) else { return at_a_desk() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(Path::new(&folder)))
}

/// Runs this program again in an environment in which ALSA finds the sound server.
fn at_a_desk() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("crewbell-cost-").tempdir()?;
    fs::write(folder.path().join(".asoundrc"), ASOUNDRC)?;
    let sound = Sound::start(folder.path())?;
    let run = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(FOLDER, folder.path())
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("PULSE_SERVER", sound.server())
        .status()?;
    ensure!(run.success());
    Ok(())
}

async fn measure(folder: &Path) -> Result<()> {
    let _voice = speak(folder)?;
    let (caller, called) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let (caller_state, called_state) = (watch::Sender::new(None), watch::Sender::new(None));
    let _sides = (
        side(Role::Caller, &caller, &called, caller_state.clone())?,
        side(Role::Called, &called, &caller, called_state.clone())?,
    );
    for state in [caller_state, called_state] {
        let is_up = |state: &Option<MediaState>| {
            state.as_ref().is_some_and(|state| state.way == MediaPath::Udp && state.silent_ms == Some(0))
        };
        let mut seen = state.subscribe();
        tokio::time::timeout(Duration::from_secs(30), seen.wait_for(is_up)).await.context("no call came about")??;
    }
    tokio::time::sleep(SETTLING).await;
    let (before, began) = (used()?, Instant::now());
    tokio::time::sleep(MEASURED).await;
    let (after, lasted) = (used()?, began.elapsed().as_secs_f64());
    let mut sum = 0.0;
    for (thread, used) in &after {
        let share = (used - before.get(thread).copied().unwrap_or_default()) / lasted / 2.0 * 100.0;
        sum += share;
        if share >= 0.01 {
            println!("{share:6.2} %  {thread}");
        }
    }
    println!("{sum:6.2} %  of a core: all of one side of the call, {:.2} % both", 2.0 * sum);
    Ok(())
}

type Side = Arc<OnceLock<Weak<Talk>>>;

/// One side of the call; its live-socket messages go straight to the other side.
fn side(role: Role, own: &Side, other: &Side, state: watch::Sender<Option<MediaState>>) -> Result<Arc<Talk>> {
    let endpoint = |role| EndpointId(Uuid::from_u128(if role == Role::Caller { 2 } else { 3 }));
    let (from, to) = match role {
        Role::Caller => (endpoint(Role::Caller), endpoint(Role::Called)),
        Role::Called => (endpoint(Role::Called), endpoint(Role::Caller)),
    };
    let session = Options { addresses: Addresses::AllAndLoopback, ..Options::default() };
    let (hearing, socket) = (Arc::clone(other), Arc::clone(other));
    let talk = Talk::open(
        PeerOptions { role, call_id: CALL, peer: to, session },
        &audio::Options::default(),
        Arc::new(move |frame| {
            if let Some(talk) = socket.get().and_then(Weak::upgrade) {
                talk.hear_frame(&frame);
            }
        }),
        move |told| match told {
            CallEvent::Say(signal) => {
                if let Some(talk) = hearing.get().and_then(Weak::upgrade) {
                    talk.hear(from, signal);
                }
            }
            CallEvent::State(new) => drop(state.send_replace(Some(new))),
            CallEvent::Levels(_) => {}
        },
    )?;
    let talk = Arc::new(talk);
    own.set(Arc::downgrade(&talk)).ok().context("each side is opened once")?;
    Ok(talk)
}

/// Plays a voice-like sound into the wire that feeds both microphones.
fn speak(folder: &Path) -> Result<Process> {
    let wav = folder.join("voice.wav");
    let made = Command::new("sox")
        .args(["-n", "-r", "48000", "-c", "1", "-b", "16"])
        .arg(&wav)
        .args(["synth", "120", "sawtooth", "140", "tremolo", "4", "vol", "0.4", "lowpass", "3000"])
        .status()
        .context("sox is missing; `cargo xtask setup` installs it")?;
    ensure!(made.success());
    Process::start(Command::new("paplay").args(["--device=wire", "--latency-msec=20"]).arg(&wav), folder)
}

/// Returns the seconds of processor time of this process, by thread name (proc(5): fields 14 and 15, in hundredths).
fn used() -> Result<BTreeMap<String, f64>> {
    let mut used = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task")? {
        // A thread that ends meanwhile isn't the call's.
        let Ok(stat) = fs::read_to_string(task?.path().join("stat")) else { continue };
        let (name, fields) = stat.rsplit_once(')').context("no thread")?;
        let name = name.split_once('(').context("no name")?.1.to_owned();
        let ticks =
            fields.split_whitespace().skip(11).take(2).map_while(|field| field.parse::<f64>().ok()).sum::<f64>();
        *used.entry(name).or_default() += ticks / 100.0;
    }
    Ok(used)
}
