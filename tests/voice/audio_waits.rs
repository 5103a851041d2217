//! Device callbacks never block. While other threads disturb a call's sound as much as they can, the callbacks run in a
//! thread whose only permitted system call is the one that wakes another thread. A seccomp filter ends the process at
//! any other, so a contended lock ends it too.
//!
//! The callbacks, the engine and its worker are the real ones; only the device is simulated. Each test runs itself
//! again in a process of its own, since the filter can't be removed.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeMap,
    env,
    hint::{black_box, spin_loop},
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, exit},
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU32, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use crewbell_voice::audio::{
    AudioEngine, BLOCK, Devices, Direction, Options,
    device::{Capturing, OpenDevice, Playing, Sink, Source, Wake, capture, playback},
    speech::Speech,
};
use nix::libc::{FUTEX_PRIVATE_FLAG, FUTEX_WAKE, SIGSYS, SYS_clock_gettime, SYS_futex};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};

/// Environment variable that marks this process as the one under the filter.
const WATCHED: &str = "CREWBELL_TEST_WATCHED";
/// Calls of each callback, ten times as fast as a device makes them: the engine can't always keep up.
const ROUNDS: u32 = 10_000;
const EACH: Duration = Duration::from_millis(1);

#[test]
fn callbacks_wait_for_nobody() -> Result<()> {
    let ended = watched("callbacks_wait_for_nobody", || {
        let (engine, mut capturing, mut playing) = begin()?;
        let rounds = Arc::new(AtomicU32::new(0));
        let counted = rounds.clone();
        thread::spawn(move || {
            let mut speech = Speech::new(7);
            let said: Vec<_> = (0..500).map(|_| speech.block()).collect();
            let mut played = [0_i16; 2 * BLOCK];
            forbid_all_but_waking();
            // The loop never ends: even the end of the thread would be a system call.
            for heard in said.iter().cycle() {
                capturing.take(heard, Duration::from_millis(10));
                playing.fill(&mut played, Duration::from_millis(10));
                counted.fetch_add(1, Ordering::Relaxed);
                let next = Instant::now() + EACH;
                while Instant::now() < next {
                    spin_loop();
                }
            }
        });
        disturb(&engine);
        while rounds.load(Ordering::Relaxed) < ROUNDS {
            thread::sleep(Duration::from_millis(10));
        }
        let seen = engine.statistics();
        println!("{seen:?}");
        let received = seen.reception.counts.received;
        ensure!(seen.sent > 100 && received > 100 && seen.underruns > 0, "too little went on meanwhile: {seen:?}");
        Ok(())
    })?;
    ensure!(ended.success(), "a callback made a system call that it may not: {ended:?}");
    Ok(())
}

#[test]
fn lock_that_is_held_would_be_seen() -> Result<()> {
    let ended = watched("lock_that_is_held_would_be_seen", || {
        let lock = Arc::new(Mutex::new(0));
        let theirs = lock.clone();
        let held = lock.lock().ok().context("nobody else has it")?;
        thread::spawn(move || {
            forbid_all_but_waking();
            black_box(&theirs).lock().map(|mut count| *count += 1).ok()
        });
        thread::sleep(Duration::from_secs(20));
        drop(held);
        Ok(())
    })?;
    ensure!(ended.signal() == Some(SIGSYS), "{ended:?}");
    Ok(())
}

/// Installs a seccomp filter that ends the process at any system call of this thread except `futex` with `FUTEX_WAKE`,
/// which never blocks, and the clock's, for kernels that don't provide it without a system call.
#[expect(clippy::unwrap_used, reason = "a thread that can't be watched fails the test")]
fn forbid_all_but_waking() {
    let wakes = SeccompCondition::new(
        1,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        u64::try_from(FUTEX_WAKE | FUTEX_PRIVATE_FLAG).unwrap(),
    );
    let allowed = BTreeMap::from([
        (SYS_futex, vec![SeccompRule::new(vec![wakes.unwrap()]).unwrap()]),
        (SYS_clock_gettime, Vec::new()),
    ]);
    let filter = SeccompFilter::new(
        allowed,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        env::consts::ARCH.try_into().unwrap(),
    );
    let program: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter(&program).unwrap();
}

/// Starts an engine that receives its own packets; returns it with the callbacks of its devices.
fn begin() -> Result<(Arc<AudioEngine>, Capturing, Playing)> {
    let (inputs, input) = channel();
    let (outputs, output) = channel();
    let own: Arc<OnceLock<Weak<AudioEngine>>> = Arc::default();
    let other = own.clone();
    let send = move |packet| {
        if let Some(engine) = other.get().and_then(Weak::upgrade) {
            engine.receive(packet);
        }
    };
    let devices = HandedOver { inputs, outputs };
    let engine = Arc::new(AudioEngine::start(&Options::default(), devices, send, |_| ())?);
    own.set(Arc::downgrade(&engine)).ok().context("one engine")?;
    let patience = Duration::from_secs(20);
    Ok((engine, input.recv_timeout(patience)?, output.recv_timeout(patience)?))
}

/// Calls everything that a person, a network and the window can do to a call's sound, in a loop.
fn disturb(engine: &Arc<AudioEngine>) {
    let deeds: [fn(&AudioEngine, u16); 4] = [
        |engine, turn| {
            engine.set_muted(turn % 50 < 5);
            engine.set_push_to_talk(turn % 70 < 7);
            engine.hold(turn % 2 == 0);
        },
        |engine, turn| {
            engine.set_volume(f32::from(turn % 100) / 100.0);
            engine.expect_loss(f32::from(turn % 20) / 100.0);
        },
        |engine, _| {
            let _told = black_box((engine.statistics(), engine.speaking()));
        },
        |engine, turn| {
            let direction = if turn % 2 == 0 { Direction::Input } else { Direction::Output };
            drop(black_box(engine.devices(direction)));
        },
    ];
    for deed in deeds {
        let engine = engine.clone();
        thread::spawn(move || {
            for turn in (0..u16::MAX).cycle() {
                deed(&engine, turn);
                // Leaves the worker time to run, since these calls queue messages for it.
                thread::sleep(Duration::from_micros(200));
            }
        });
    }
}

/// Devices whose callbacks are called by the test.
struct HandedOver {
    inputs: Sender<Capturing>,
    outputs: Sender<Playing>,
}

struct Open;

impl OpenDevice for Open {
    fn name(&self) -> &'static str {
        "A device"
    }

    fn fault(&mut self, _now: Duration) -> Option<String> {
        None
    }
}

impl Devices for HandedOver {
    fn names(&mut self, _direction: Direction) -> Vec<String> {
        vec!["A device".to_owned()]
    }

    fn open_input(&mut self, _name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Source), String> {
        let (capturing, source) = capture(48_000, 1, wake)?;
        drop(self.inputs.send(capturing));
        Ok((Box::new(Open), source))
    }

    fn open_output(&mut self, _name: Option<&str>, wake: &Wake) -> Result<(Box<dyn OpenDevice>, Sink), String> {
        let (playing, sink) = playback(48_000, 2, 480, wake)?;
        drop(self.outputs.send(playing));
        Ok((Box::new(Open), sink))
    }
}

/// Runs `story` in a process of its own, and returns its exit status.
fn watched(name: &str, story: impl FnOnce() -> Result<()>) -> Result<ExitStatus> {
    if env::var_os(WATCHED).is_some() {
        let failed = story().inspect_err(|error| println!("{error:#}")).is_err();
        // The watched thread never ends.
        exit(i32::from(failed));
    }
    let run = Command::new(env::current_exe()?).args(["--exact", name, "--nocapture"]).env(WATCHED, "yes").output()?;
    println!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    Ok(run.status)
}
