//! Benchmark of the signalling capacity: fifty pairs call at once, each with two live sockets, from the tap to the end,
//! with all the signals of two devices.
//!
//! All sockets get all calls, as on board: each of the three entries of a call goes to a hundred sockets. The server,
//! its PostgreSQL and the reading clients share this machine. The processor's load shows the bottleneck: near 100 %, it
//! is the processor; far below, it is the disk that every step waits for.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crewbell_shared::person::Role;
use crewbell_shared::protocol::live::{FromServer, Signal};
use serde_json::{Value, json};

use crate::Options;
use crate::cast::Phone as End;
use crate::report::{Figure, Report};
use crate::stage::Stage;
use crate::times::Times;

const PAIRS: usize = 50;

/// Candidates of each side: two networks, each with and without a STUN server.
const CANDIDATES: usize = 4;

/// Maximum number of consecutive calls of a pair: an end may send a burst of a hundred signals before its rate is
/// limited.
const ROUNDS: usize = 100 / (CANDIDATES + 1);

/// Length of the app's descriptions: with one audio codec and a fingerprint.
const SDP_BYTES: usize = 1_200;

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let mut pairs = Vec::new();
    for pair in 0..PAIRS {
        let end = async |who: &str| End::of(stage.ship.recruit(&format!("{who} {pair}"), Role::Crew).await).await;
        pairs.push((end("Caller").await, end("Callee").await));
    }
    let rounds = options.many(ROUNDS).max(2);
    let (before, began) = (Busy::read()?, Instant::now());
    let running: Vec<_> = pairs.into_iter().map(|pair| tokio::spawn(speak(pair, rounds))).collect();
    let mut rings = Vec::new();
    for pair in running {
        rings.extend(pair.await??);
    }
    let (took, busy) = (began.elapsed(), Busy::read()?);
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let a_second = rings.len() as f64 / took.as_secs_f64();
    let what = format!("call: calls from tap to end with all signals, by {PAIRS} pairs at once");
    report.add(what, Figure::ASecond { a_second });
    report.add("call: tap to ringing meanwhile", Times::of(rings)?);
    report.add("call: the machine's processor meanwhile, in percent", Figure::Percent { percent: busy.since(&before) });
    Ok(())
}

/// Runs one pair's calls, one after the other; returns the times until they rang.
async fn speak((mut caller, mut callee): (End, End), rounds: usize) -> Result<Vec<Duration>> {
    let mut rings = Vec::new();
    for _ in 0..rounds {
        let tapped = Instant::now();
        let call = caller.calls(&callee.who).await.map_err(|code| anyhow::anyhow!("nobody to call: {code}"))?;
        sees(&mut callee, &call, "call_started").await;
        rings.push(tapped.elapsed());
        ensure!(callee.answers(&call).await.is_none(), "the answer was refused");
        sees(&mut caller, &call, "call_answered").await;

        let sdp = "v".repeat(SDP_BYTES);
        caller.signals(&call, callee.end, json!({ "s": "offer", "sdp": sdp })).await;
        ensure!(matches!(hears(&mut callee).await?, Signal::Offer { .. }), "no offer");
        callee.signals(&call, caller.end, json!({ "s": "answer", "sdp": sdp })).await;
        ensure!(matches!(hears(&mut caller).await?, Signal::Answer { .. }), "no answer");
        let candidate =
            json!({ "s": "candidate", "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdp_mid": "0" });
        for _ in 0..CANDIDATES {
            caller.signals(&call, callee.end, candidate.clone()).await;
            callee.signals(&call, caller.end, candidate.clone()).await;
        }
        for end in [&mut caller, &mut callee] {
            for _ in 0..CANDIDATES {
                ensure!(matches!(hears(end).await?, Signal::Candidate { .. }), "no candidate");
            }
        }
        ensure!(caller.hangs_up(&call).await.is_none(), "nobody hangs up");
        sees(&mut callee, &call, "call_ended").await;
    }
    Ok(rings)
}

/// Waits for an entry of the pair's own call among those of all.
async fn sees(end: &mut End, call: &str, kind: &str) {
    loop {
        let entry: Value = end.screen.next().await;
        if entry["payload"]["id"] == call && entry["type"] == kind {
            return;
        }
    }
}

/// Returns the next signal of the pair's own call.
async fn hears(end: &mut End) -> Result<Signal> {
    loop {
        let frame = end.screen.hears().await;
        if let FromServer::Signal { signal, .. } = frame {
            return Ok(signal);
        }
        ensure!(matches!(frame, FromServer::Peer { .. }), "no signal, nor that the other end is there, but {frame:?}");
    }
}

/// Processor time of the machine since its start, in hundredths of a second.
struct Busy {
    busy: f64,
    all: f64,
}

impl Busy {
    fn read() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        // user, nice, system, idle, iowait, irq, softirq, steal
        let times = stat.lines().next().context("no processors")?.split_whitespace().skip(1).take(8);
        let times = times.map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let all = times.iter().sum();
        Ok(Self { busy: all - times.get(3..5).context("no times")?.iter().sum::<f64>(), all })
    }

    /// Returns the load since an earlier reading, in percent.
    fn since(&self, before: &Self) -> f64 {
        (self.busy - before.busy) / (self.all - before.all) * 100.0
    }
}
