//! Measurement of the latency from a press to the last of N sockets, at a steady rate.
//!
//! The load is open-loop: presses are sent when they are due, whether or not the earlier ones have been received, and
//! the latency counts from the due time. A stalled server therefore pays for every press that had to wait, as its
//! guests would.

use std::{
    fmt,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{board::Board, buttons::Line, mqtt::PUBACK, screens::Screens, target::Target};

/// How long the last presses may take to be received before they count as lost.
const LAST_WORD: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Setting {
    pub(crate) sockets: usize,
    /// Presses a second.
    pub(crate) rate: u32,
    #[serde(skip)]
    pub(crate) warm_up: Duration,
    #[serde(skip)]
    pub(crate) measured: Duration,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sockets, {} presses a second", self.sockets, self.rate)
    }
}

/// Quantiles of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Times {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) count: u64,
}

impl Times {
    /// Converts a histogram of nanoseconds.
    pub(crate) fn of(nanos: &Histogram<u64>) -> Self {
        let millis = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64() * 1e3;
        Self {
            p50: millis(nanos.value_at_quantile(0.5)),
            p99: millis(nanos.value_at_quantile(0.99)),
            max: millis(nanos.max()),
            count: nanos.len(),
        }
    }
}

/// Creates a histogram of nanoseconds up to a minute, with three significant digits.
pub(crate) fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?)
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    #[serde(flatten)]
    pub(crate) setting: Setting,
    /// The time from the press's due time until the last socket received it.
    pub(crate) heard: Times,
    /// The time from writing the PUBLISH to reading its PUBACK.
    pub(crate) puback: Times,
    /// The presses that some socket didn't receive; must be 0.
    pub(crate) unheard: usize,
}

pub(crate) fn measure(target: &Target, setting: Setting) -> Result<Figures> {
    Ok(measure_with(target, setting, || ())?.0)
}

/// Measures as [`measure`] does; `at_the_end` runs while all sockets are still open.
pub(crate) fn measure_with<T>(
    target: &Target,
    setting: Setting,
    at_the_end: impl FnOnce() -> T,
) -> Result<(Figures, T)> {
    let count =
        |time: Duration| -> usize { (time.as_millis() * u128::from(setting.rate) / 1000).try_into().unwrap_or(0) };
    let warm_up = count(setting.warm_up);
    let board = Arc::new(Board::new(warm_up + count(setting.measured), setting.sockets));
    let screens = Screens::open(target, setting.sockets, &board)?;

    let mut lines = Vec::new();
    for button in &target.buttons {
        let line = Line::connect(target.mqtt, button)?;
        lines.push(Acknowledged::new(line, &board)?);
    }
    let period = Duration::from_secs(1) / setting.rate;
    let start = board.clock.elapsed() + Duration::from_millis(100);
    let due = |press: usize| start + period * u32::try_from(press).unwrap_or(u32::MAX);

    let mut packet = Vec::new();
    let buttons = lines.len();
    for press in 0..board.presses() {
        let due = board.clock + due(press);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let line = &mut lines[press % buttons];
        packet.clear();
        // Packet ids are counted by button and wrap around after 65,535 (0 is not allowed).
        let packet_id = u16::try_from(press / buttons % 65_535 + 1)?;
        line.line.press(&mut packet, packet_id, format_args!("{}{press}", board.marker));
        line.sent[usize::from(packet_id)].store(board.nanos(), Relaxed);
        line.line.stream.write_all(&packet).context("a press could not be sent")?;
    }
    board.wait(LAST_WORD);
    let kept = at_the_end();

    let mut puback = histogram()?;
    for line in lines {
        puback.add(line.finish()?)?;
    }
    let mut heard = histogram()?;
    let mut unheard = 0;
    for press in 0..board.presses() {
        match board.completed_at(press) {
            None => unheard += 1,
            Some(at) if press >= warm_up => {
                heard.saturating_record(at.saturating_sub(u64::try_from(due(press).as_nanos())?));
            }
            Some(_) => {}
        }
    }
    drop(screens);
    let figures = Figures { setting, heard: Times::of(&heard), puback: Times::of(&puback), unheard };
    Ok((figures, kept))
}

/// A button with a thread that reads its PUBACKs.
struct Acknowledged {
    line: Line,
    /// The send times by packet id, in nanoseconds on the board's clock.
    sent: Arc<Vec<AtomicU64>>,
    reader: thread::JoinHandle<Result<Histogram<u64>>>,
}

impl Acknowledged {
    fn new(line: Line, board: &Arc<Board>) -> Result<Self> {
        let sent: Arc<Vec<AtomicU64>> = Arc::new((0..=u16::MAX).map(|_| AtomicU64::new(0)).collect());
        let (mut reader, board, times) = (line.reader()?, Arc::clone(board), Arc::clone(&sent));
        // The thread ends with an error when the connection is shut down, which is the signal to end.
        reader.stream.set_read_timeout(None)?;
        let reader = thread::spawn(move || {
            let mut took = histogram()?;
            let mut each = |packet: crate::mqtt::Packet<'_>| {
                if packet.kind == PUBACK {
                    let sent = times[usize::from(packet.packet_id())].load(Relaxed);
                    took.saturating_record(board.nanos().saturating_sub(sent));
                }
            };
            while reader.receive(&mut each).is_ok() {}
            Ok(took)
        });
        Ok(Self { line, sent, reader })
    }

    fn finish(self) -> Result<Histogram<u64>> {
        drop(self.line.stream.shutdown(std::net::Shutdown::Both));
        self.reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?
    }
}
