//! Benchmark from a guest's press to the crew's window and bell.
//!
//! Presses are due five times a second, regardless of earlier presses, from foreign MQTT clients. Another crew member
//! accepts each request when it sounds, so that each makes a card and a sound of its own.

use crewbell_shared::person::PersonVerb;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crewbell_core::screen::{Ask, CoreEvent, ViewState};
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::{Entity, Verb};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::Options;
use crate::cast::{Crew, Gus};
use crate::device::{Device, Ear, Heard};
use crate::report::Report;
use crate::stage::Stage;
use crate::times::Times;

/// Presses a second.
const RATE: u32 = 5;
const CABINS: usize = 5;

/// Seconds of presses at the beginning that have a row of their own: a newly opened sound system may take its first
/// samples late, the virtual one by up to two seconds.
const WARM_UP: usize = 5;

/// Time limit after which the last presses count as unheard.
const LAST_WORD: Duration = Duration::from_secs(5);

/// A press with the times of its PUBLISH and its PUBACK.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pressed {
    pub(crate) number: usize,
    pub(crate) sent: Instant,
    acknowledged: Instant,
}

impl Pressed {
    pub(crate) fn id(number: usize) -> String {
        format!("bench-{number}")
    }
}

/// The times at which a press reached the window, the ring list and the bell.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    told: Option<Instant>,
    rung: Option<Instant>,
    sounded: Option<Instant>,
}

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let warm_up = WARM_UP * RATE as usize;
    let presses = warm_up + options.many(250);
    let device = Device::of(&stage.base(), "Sam").await?;
    let picture: ViewState = serde_json::from_value(device.ask(Ask::Look).await?)?;
    let person_id = picture.me().context("nobody is signed in")?;
    device.does(Verb::Person(PersonVerb::SetDuty { person_id, on_duty: true })).await?;
    let bell = device.hang_bell().await;
    if let Err(error) = &bell {
        report.left_out("the bell", format!("{error:#}"));
    }
    let siri = stage.ship.siri().await;

    let from = device.ear.position();
    let accepting = tokio::spawn(accept(Arc::clone(&device.ear), from, siri, bell.is_ok()));
    let pressed = all(stage, presses, 0).await?;
    let last = Pressed::id(presses - 1);
    let is_last = |told: &CoreEvent| requests(told).any(|(press, _)| press == last);
    // Presses that weren't reported in time are counted below.
    let waiting = device.ear.until(from, "the last press is told", |heard| heard.told().iter().any(is_last));
    drop(tokio::time::timeout(LAST_WORD, waiting).await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    accepting.abort();

    let reached = reached(&device.ear.since(from));
    let since = |pressed: &[Pressed], when: fn(&Reached) -> Option<Instant>| {
        Times::of(pressed.iter().filter_map(|press| {
            let at = when(reached.get(&Pressed::id(press.number))?)?;
            Some(at.saturating_duration_since(press.sent))
        }))
    };
    let (first, pressed) = pressed.split_at(warm_up);
    let puback = Times::of(pressed.iter().map(|press| press.acknowledged - press.sent))?;
    let rows = [
        ("press to what the window is told, as JSON", since(pressed, |reached| reached.told)?, true),
        ("press to the bell's order", since(pressed, |reached| reached.rung)?, true),
        (
            "press to the first sample taken by the sound system",
            since(pressed, |reached| reached.sounded)?,
            bell.is_ok(),
        ),
    ];
    for (what, times, measured) in rows {
        if measured {
            let aim = 150.0;
            report.add(format!("{what}, {} at {RATE}/s", times.count), times).aim(aim).floor("PUBACK", puback);
            let unheard = pressed.len() - usize::try_from(times.count)?;
            if unheard > 0 {
                report.wrong(format!("{unheard} presses were not noted: {what}"));
            }
        }
    }
    if bell.is_ok() {
        let times = since(first, |reached| reached.sounded)?;
        report.add(format!("  the same in the {WARM_UP} seconds after the bell was opened"), times);
    }
    device.close().await.map(drop)
}

/// Sends a number of presses, one cabin after the other, each when it is due; `first` is the number of the first.
pub(crate) async fn all(stage: &Stage, presses: usize, first: usize) -> Result<Vec<Pressed>> {
    let mut hands = JoinSet::new();
    let mut cabins = Vec::new();
    for cabin in 1..=CABINS {
        let gus = stage.ship.gus_in(cabin as u128).await;
        let (press, due) = unbounded_channel();
        cabins.push(press);
        hands.spawn(hand(gus, due));
    }
    let mut every = tokio::time::interval(Duration::from_secs(1) / RATE);
    for number in first..first + presses {
        every.tick().await;
        cabins[number % CABINS].send(number).context("a button is gone")?;
    }
    drop(cabins);
    let mut pressed: Vec<Pressed> = hands.join_all().await.into_iter().flatten().collect();
    pressed.sort_unstable_by_key(|press| press.number);
    Ok(pressed)
}

/// Presses on demand, and records the times.
async fn hand(mut gus: Gus, mut due: UnboundedReceiver<usize>) -> Vec<Pressed> {
    let mut pressed = Vec::new();
    while let Some(number) = due.recv().await {
        let sent = Instant::now();
        gus.press_as(&Pressed::id(number), "single", "main").await;
        pressed.push(Pressed { number, sent, acknowledged: Instant::now() });
    }
    pressed
}

/// Accepts each request when it sounds; without a bell, when it is in the ring list.
async fn accept(ear: Arc<Ear>, from: usize, siri: Crew, sounding: bool) -> Result<()> {
    let mut known = BTreeSet::new();
    let mut position = from;
    loop {
        let news = |heard: &Heard| match heard {
            Heard::Sounding(_) => sounding,
            Heard::Ring(_) => !sounding,
            Heard::Told(_) => false,
        };
        ear.until(position, "another press", news).await?;
        for (_, heard) in ear.since(position) {
            position += 1;
            let called = match heard {
                Heard::Sounding(id) if sounding => vec![id],
                Heard::Ring(ids) if !sounding => ids,
                Heard::Sounding(_) | Heard::Ring(_) | Heard::Told(_) => Vec::new(),
            };
            for id in called.into_iter().filter(|id| known.insert(*id)) {
                let siri = siri.clone();
                tokio::spawn(async move { siri.answer(&id.to_string(), "accept").await });
            }
        }
    }
}

/// Returns the requests in an event, with the last press of each.
fn requests(told: &CoreEvent) -> impl Iterator<Item = (&str, RequestId)> {
    let put = if let CoreEvent::Patch { put, .. } = told { put.as_slice() } else { &[] };
    put.iter().filter_map(|shown| match shown.entity.as_ref() {
        Entity::Request(request) => Some((request.last_press_id.as_deref()?, request.id)),
        Entity::Site(_)
        | Entity::Person(_)
        | Entity::Place(_)
        | Entity::Guest(_)
        | Entity::Stay(_)
        | Entity::Button(_)
        | Entity::Call(_) => None,
    })
}

/// Returns the times at which each press was first reported, rung and sounded. A press that joined an open request
/// rings with that.
fn reached(heard: &[(Instant, Heard)]) -> BTreeMap<String, Reached> {
    let mut reached: BTreeMap<String, Reached> = BTreeMap::new();
    let mut rung: BTreeMap<RequestId, Instant> = BTreeMap::new();
    let mut sounded: BTreeMap<RequestId, Instant> = BTreeMap::new();
    let mut of: BTreeMap<String, RequestId> = BTreeMap::new();
    for (at, heard) in heard {
        match heard {
            Heard::Told(told) => {
                for (press, id) in told.iter().flat_map(requests) {
                    reached.entry(press.to_owned()).or_default().told.get_or_insert(*at);
                    of.insert(press.to_owned(), id);
                }
            }
            Heard::Ring(ids) => {
                for id in ids {
                    rung.entry(*id).or_insert(*at);
                }
            }
            Heard::Sounding(id) => {
                sounded.entry(*id).or_insert(*at);
            }
        }
    }
    for (press, id) in of {
        let reached = reached.entry(press).or_default();
        (reached.rung, reached.sounded) = (rung.get(&id).copied(), sounded.get(&id).copied());
    }
    reached
}
