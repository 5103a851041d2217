//! Benchmark of the outbox: ten devices reconnect at once, and send the commands that they queued offline.

use crewbell_shared::request::RequestVerb;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use crewbell_core::screen::Ask;
use crewbell_shared::person::Role;
use crewbell_shared::protocol::Verb;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Options;
use crate::cast::command;
use crate::device::Device;
use crate::report::{Figure, Report};
use crate::stage::{IN_HAND, Stage};
use crate::times::Times;
use crate::wire::Wire;

const DEVICES: usize = 10;

/// Requests on which each device writes its notes; a request holds a hundred.
const REQUESTS: usize = IN_HAND / 2 / DEVICES;

const NOTED: &str = "select count(*) from entries where type = 'request_noted'";
const ONCE: &str = "select count(distinct command_id) from entries where type = 'request_noted'";

pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> Result<()> {
    let each = options.many(500);
    let mut crew = Vec::new();
    for number in 0..DEVICES {
        let name = format!("Sailor {number}");
        stage.ship.recruit(&name, Role::Crew).await;
        stage.ship.pin_of(&name).await;
        let wire = Wire::to(stage.ship.server.http).await;
        let device = Device::of(&wire.base(), &name).await?;
        crew.push((number, device, wire));
    }

    let mut working = JoinSet::new();
    for (number, device, wire) in crew {
        let from = device.ear.position();
        wire.cut();
        device.ear.link(from, |link| !link.is_there()).await?;
        working.spawn(async move {
            let mut kept = Vec::new();
            for note in 0..each {
                let began = Instant::now();
                device.ask(Ask::Do { verb: noted(number * REQUESTS + note % REQUESTS, note) }).await?;
                kept.push(began.elapsed());
            }
            Ok::<_, anyhow::Error>((device, wire, kept))
        });
    }
    let mut devices = Vec::new();
    let mut kept = Vec::new();
    while let Some(worked) = working.join_next().await {
        let (device, wire, took) = worked??;
        kept.extend(took);
        devices.push((device, wire));
    }
    report.add(
        format!("a note while {DEVICES} devices each keep {each} of them: tap to kept"),
        Times::of(kept.iter().copied())?,
    );

    let (noted_before, once_before) = (stage.ship.count(NOTED).await, stage.ship.count(ONCE).await);
    let began = Instant::now();
    let mut positions = Vec::new();
    for (device, wire) in &devices {
        positions.push(device.ear.position());
        wire.mend();
        device.ask(Ask::Connect).await?;
    }
    let mut settled = began;
    for ((device, _), from) in devices.iter().zip(positions) {
        settled = settled.max(device.ear.settled(from).await?);
    }
    let sent = i64::try_from(DEVICES * each)?;
    let noted = stage.ship.count(NOTED).await - noted_before;
    let once = stage.ship.count(ONCE).await - once_before;
    if (noted, once) != (sent, sent) {
        report.wrong(format!("{sent} notes were sent, {noted} are in the log, {once} different ones"));
    }

    let plain = straight(stage, DEVICES * each).await?;
    report
        .add(format!("{DEVICES} devices send {each} that waited, to the last outcome"), Figure::ms(settled - began))
        .floor("the same posted by one plain client, 100 at a time", Figure::ms(plain));
    for (device, _) in devices {
        device.close().await?;
    }
    Ok(())
}

fn noted(request: usize, note: usize) -> Verb {
    let text = format!("Note {note}: she would like it with lemon");
    Verb::Request(RequestVerb::Note { request_id: Stage::in_hand(request), note_id: Uuid::now_v7().into(), text })
}

/// The floor: the same number of notes on other requests, sent straight to the server's endpoint.
async fn straight(stage: &Stage, notes: usize) -> Result<Duration> {
    let siri = stage.ship.siri().await;
    let half = IN_HAND / 2;
    let commands: Vec<_> = (0..notes)
        .map(|note| {
            command(json!({ "type": "note_request", "request_id": Stage::in_hand(half + note % half),
                "note_id": Uuid::now_v7(), "text": format!("Note {note}: she would like it with lemon") }))
        })
        .collect();
    let began = Instant::now();
    for batch in commands.chunks(100) {
        let outcomes = siri.sends(batch).await;
        ensure!(outcomes.iter().all(|outcome| outcome["refusal"].is_null()), "{outcomes:?}");
    }
    Ok(began.elapsed())
}
