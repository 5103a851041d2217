//! Benchmarks in the app's own window on a virtual display: the time until a card is drawn, and the memory of the app's
//! processes.
//!
//! The page records when a card is drawn, by the clock that this program reads too. The time to the first card, and its
//! floor, include `WebDriver`'s own start of a session.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use crewbell_desk::{Desk, Window, until};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::Options;
use crate::cast::Crew;
use crate::memory;
use crate::press::{self, Pressed};
use crate::report::{Figure, Report};
use crate::ship::PIN;
use crate::stage::Stage;
use crate::times::Times;

/// Number of the first press, so that the presses differ from the earlier ones.
const FIRST: usize = 1_000_000;

/// Script that records when the card of a request was first drawn, after the frame. Cards are drawn in any order; each
/// has its request's id.
const WATCH: &str = "
    window.drawn = [];
    const known = new Set();
    const look = () => {
        for (const card of document.querySelectorAll('article.card')) {
            if (known.has(card.id)) continue;
            known.add(card.id);
            requestAnimationFrame(() => setTimeout(
                () => window.drawn.push([card.id, performance.timeOrigin + performance.now()])));
        }
    };
    look();
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    return null";

/// Time from a guest's request to its acceptance: shorter than the time to the cabin's next press.
const LOOKED_AT: Duration = Duration::from_millis(300);

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let app = match &options.app {
        Some(app) => app.clone(),
        // Cargo builds benchmarks into `deps`, which is in the folder of the programs.
        None => std::env::current_exe()?.ancestors().nth(2).context("no folder")?.join("crewbell"),
    };
    let Ok(app) = app.canonicalize() else {
        report.left_out("the window", format!("{} has not been built", app.display()));
        return Ok(());
    };
    let server = stage.ship.server.http.to_string();
    let starts = if options.quick { 2 } else { 5 };
    let prepared = tokio::task::spawn_blocking(move || prepare(app, &server, starts)).await??;
    let Prepared { desk, window, app, with_cards, empty } = prepared;
    report
        .add(format!("start of the app to its first card, {} entities", stage.entities), with_cards)
        .floor("start of the app to its sign-in page, empty cache", empty);

    let siri = stage.ship.siri().await;
    let (first_press, opened) = unbounded_channel();
    let answering = tokio::spawn(accept(siri, first_press));
    let clocks = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
    let pressed = press::all(stage, options.many(100).max(20), FIRST).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    answering.abort();
    let drawn = tokio::task::spawn_blocking(move || {
        let drawn = window.run("return window.drawn");
        let family = memory::family(&app).into_iter().map(|(pid, name)| (name, memory::of(pid))).collect::<Vec<_>>();
        drop((window, desk));
        drawn.map(|drawn| (drawn, family))
    });
    let (drawn, family) = drawn.await??;
    let times = Times::of(delays(&pressed, opened, &drawn, clocks))?;
    if usize::try_from(times.count)? < pressed.len() {
        report.wrong(format!("{} presses drew no card of their own", pressed.len() - usize::try_from(times.count)?));
    }
    report.add(format!("press to its card drawn, {} of {} at 5/s", times.count, pressed.len()), times);
    let mut all = 0.0;
    for (number, (name, memory)) in family.into_iter().enumerate() {
        if let Some(memory) = memory {
            all += memory.share;
            let row = report.add(format!("memory of {name}, resident"), Figure::Megabytes { mb: memory.resident });
            if number == 0 {
                row.aim(150.0);
            }
        }
    }
    report.add("memory of the app with WebKit, what they share counted once", Figure::Megabytes { mb: all });
    Ok(())
}

/// A signed-in app on a desktop, and its start times.
struct Prepared {
    // Closed before its desktop.
    window: Window,
    desk: Desk,
    app: PathBuf,
    with_cards: Figure,
    empty: Figure,
}

fn prepare(app: PathBuf, server: &str, starts: usize) -> Result<Prepared> {
    let desk = Desk::set_up()?;
    let mut empty = Vec::new();
    for number in 0..starts {
        let (_, took) = open(&desk, &app, &format!("empty-{number}"), ".sign-in-form")?;
        empty.push(took);
    }
    let (window, _) = open(&desk, &app, "sam", ".sign-in-form")?;
    sign_in(&window, server)?;
    let list = until("the list", || Ok((window.run(&is_there("article.card"))? == true).then_some(())));
    list.or_else(|error| {
        Err(error.context(format!("shown instead: {}", window.run("return document.body.innerText")?)))
    })?;
    drop(window);
    let mut with_cards = Vec::new();
    let window = loop {
        let (window, took) = open(&desk, &app, "sam", "article.card")?;
        with_cards.push(took);
        if with_cards.len() == starts {
            break window;
        }
    };
    window.run(WATCH)?;
    let median = |times| Ok::<_, anyhow::Error>(Figure::Milliseconds { ms: Times::of(times)?.p50 });
    Ok(Prepared { window, desk, app, with_cards: median(with_cards)?, empty: median(empty)? })
}

/// Opens the app on a folder, waits until `selector` matches, and returns the time.
fn open(desk: &Desk, app: &Path, folder: &str, selector: &str) -> Result<(Window, Duration)> {
    let folder = desk.folder(folder).display().to_string();
    let began = Instant::now();
    let window = desk.open(app, &["--data-dir", &folder])?;
    until(selector, || Ok((window.run(&is_there(selector))? == true).then_some(())))?;
    Ok((window, began.elapsed()))
}

fn is_there(selector: &str) -> String {
    format!("return document.querySelector('{selector}') !== null")
}

fn sign_in(window: &Window, server: &str) -> Result<()> {
    // The page may redraw its form while it is being searched.
    until("the form", || Ok(window.type_into(".sign-in-form input", server).ok()))?;
    window.press(".sign-in-form .button.go")?;
    // The address field is also there before the PIN pad appears.
    until("the PIN pad", || Ok((window.run(&is_there(".pin-keys"))? == true).then_some(())))?;
    until("the name's field", || Ok(window.type_into(".sign-in .field input", "Sam").ok()))?;
    for digit in PIN.chars() {
        let place = if digit == '0' { 11 } else { digit.to_digit(10).context("no digit")? };
        window.press(&format!(".pin-keys > :nth-child({place})"))?;
    }
    window.press(".pin-keys > :nth-child(12)")
}

/// Accepts each request a while after it was made, and reports the press that made it.
async fn accept(siri: Crew, first_press: UnboundedSender<(String, String)>) {
    let mut known = BTreeSet::new();
    loop {
        for request in siri.open_requests().await {
            let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
            let id = text("id");
            if known.insert(id.clone()) {
                // The receiver is gone when the measurement is over.
                drop(first_press.send((text("last_press_id"), id.clone())));
                let siri = siri.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LOOKED_AT).await;
                    siri.answer(&id, "accept").await;
                });
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Returns the delays from each press that made a request to the drawing of its card.
fn delays(
    pressed: &[Pressed],
    mut opened: UnboundedReceiver<(String, String)>,
    drawn: &Value,
    (instant, wall): (Instant, Duration),
) -> Vec<Duration> {
    let made: BTreeMap<String, String> = iter::from_fn(|| opened.try_recv().ok()).collect();
    let drawn: BTreeMap<&str, f64> = drawn
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one[0].as_str()?.strip_prefix("card-")?, one[1].as_f64()?)))
        .collect();
    let wall_of = |at: Instant| (wall + at.saturating_duration_since(instant)).as_secs_f64() * 1e3;
    let delay = |press: &Pressed| {
        let at = drawn.get(made.get(&Pressed::id(press.number))?.as_str())?;
        Some(Duration::from_secs_f64((at - wall_of(press.sent)).max(0.0) / 1e3))
    };
    pressed.iter().filter_map(delay).collect()
}
