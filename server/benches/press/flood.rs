//! Measurement of the highest rate of stored presses: every button has as many unacknowledged presses as its window
//! allows, and each PUBACK makes room for the next.
//!
//! All buttons press at once. There are more of them than in the demo, because the server limits each to a hundred
//! presses a second ([`crate::site`]). So nearly every press joins an open request: it is still recorded, counted on
//! the request and broadcast. With a press window of 0 ([`crate::site`]) each creates a request of its own, which is
//! more to write and to check.

use std::{
    io::Write,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    board::Board,
    buttons::Line,
    latency::{Times, histogram},
    memory::{Cpu, cpu},
    mqtt::PUBACK,
    screens::Screens,
    target::{Button, Target},
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Unacknowledged presses of all buttons together.
    pub(crate) window: usize,
    pub(crate) sockets: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    /// PUBACKs a second.
    pub(crate) rate: f64,
    pub(crate) buttons: usize,
    pub(crate) window: usize,
    pub(crate) sockets: usize,
    /// From writing a press to reading its PUBACK, under this load.
    pub(crate) puback: Times,
    /// The processor time of the server's process in cores, without PostgreSQL's.
    pub(crate) server_cores: f64,
    /// All presses of this measurement, and those of them that were acknowledged.
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    /// The rows added to `presses` meanwhile, if the database is accessible.
    pub(crate) stored: Option<i64>,
    /// The connections that broke before the end, and the error of the first.
    pub(crate) broken: usize,
    pub(crate) first_error: Option<String>,
}

impl Figures {
    /// Whether no acknowledged press is missing and none is stored twice; `None` if the rows weren't counted.
    pub(crate) fn is_complete(&self) -> Option<bool> {
        let stored = u64::try_from(self.stored?).unwrap_or_default();
        Some((self.acknowledged..=self.sent).contains(&stored))
    }
}

#[derive(Default)]
struct Tally {
    acknowledged: AtomicU64,
    sent: AtomicU64,
    is_over: AtomicBool,
}

pub(crate) fn measure(target: &Target, setting: Setting) -> Result<Figures> {
    // The sockets only add load; nothing is recorded on this board.
    let board = Arc::new(Board::new(0, setting.sockets));
    let screens = Screens::open(target, setting.sockets, &board)?;
    let before = stored_presses(target)?;

    let window = (setting.window / target.buttons.len()).max(2);
    let tally = Arc::new(Tally::default());
    let together = Arc::new(Barrier::new(target.buttons.len() + 1));
    let threads: Vec<_> = target
        .buttons
        .iter()
        .map(|button| {
            let (button, tally, together) = (button.clone(), Arc::clone(&tally), Arc::clone(&together));
            let (address, marker) = (target.mqtt, board.marker.clone());
            thread::spawn(move || {
                let line = Line::connect_among_many(address, &button);
                together.wait();
                press(line?, &button, &marker, window, &tally)
            })
        })
        .collect();

    together.wait();
    thread::sleep(setting.warm_up);
    let (began, count, used) = (Instant::now(), tally.acknowledged.load(Relaxed), cpu(target.pid));
    thread::sleep(setting.measured);
    let (took, acknowledged) = (began.elapsed(), tally.acknowledged.load(Relaxed) - count);
    let server_cores = Cpu::between(used, cpu(target.pid), took);
    tally.is_over.store(true, Relaxed);

    let mut puback = histogram()?;
    let mut errors = Vec::new();
    for thread in threads {
        match thread.join().map_err(|_| anyhow!("a generator panicked"))? {
            Ok(times) => puback.add(times)?,
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    drop(screens);
    let stored = stored_presses(target)?.zip(before).map(|(after, before)| after - before);
    Ok(Figures {
        rate: per_second(acknowledged, took),
        buttons: target.buttons.len(),
        window,
        sockets: setting.sockets,
        puback: Times::of(&puback),
        server_cores,
        sent: tally.sent.load(Relaxed),
        acknowledged: tally.acknowledged.load(Relaxed),
        stored,
        broken: errors.len(),
        first_error: errors.into_iter().next(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Runs one button: refills its window whenever half of it is free, so that writes are batched.
fn press(mut line: Line, button: &Button, marker: &str, window: usize, tally: &Tally) -> Result<Histogram<u64>> {
    let clock = Instant::now();
    let mut times = histogram()?;
    let mut sent_at = vec![clock; usize::from(u16::MAX) + 1];
    let (mut next, mut under_way) = (0_u64, 0_usize);
    let mut batch = Vec::new();
    loop {
        let is_over = tally.is_over.load(Relaxed);
        if is_over && under_way == 0 {
            return Ok(times);
        }
        if !is_over && under_way <= window / 2 {
            batch.clear();
            let now = Instant::now();
            let room = window - under_way;
            for _ in 0..room {
                let packet_id = u16::try_from(next % 65_535 + 1)?;
                line.press(&mut batch, packet_id, format_args!("{marker}{}-{next}", button.id));
                sent_at[usize::from(packet_id)] = now;
                next += 1;
            }
            under_way += room;
            tally.sent.fetch_add(room as u64, Relaxed);
            line.stream.write_all(&batch)?;
        }
        let mut acknowledged = 0;
        line.receive(|packet| {
            if packet.kind == PUBACK {
                acknowledged += 1;
                let took = sent_at[usize::from(packet.packet_id())].elapsed().as_nanos();
                times.saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
            }
        })?;
        under_way = under_way.saturating_sub(acknowledged);
        tally.acknowledged.fetch_add(acknowledged as u64, Relaxed);
    }
}

/// Counts the presses in the database, if the target gives its URL.
fn stored_presses(target: &Target) -> Result<Option<i64>> {
    use sqlx::{Connection, PgConnection};
    let Some(url) = &target.database else {
        return Ok(None);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        Ok(Some(sqlx::query_scalar("select count(*) from presses").fetch_one(&mut connection).await?))
    })
}
