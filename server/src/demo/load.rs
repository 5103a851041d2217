//! The execution of the script as actions.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use anyhow::{Context, bail, ensure};
use crewbell_shared::Refusal;
use crewbell_shared::button::{ButtonKey, Delivery, Evidence, SeenPress};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use jiff::Timestamp;

use super::cast::{CREW, Cast, DEVICES, JOIN_CODE, SPOTS};
use super::timeline::{By, DemoAction, Planned, Press};
use crate::actions::{
    self, Action, ActionContext, ActionError, ActionOutcome, Answer, CountUnrecognised, CreateSite, Effects,
    HearButton, KeepRecording, RaiseRequest, ReadSet, SetButtonSecret, SetJoinCode, SetPersonSecret, UnitOfWork,
};
use crate::auth::{hash_code, hash_secret};
use crate::clock::Ids;
use crate::db::unrecognised::StoredMessage;
use crate::site_registry::{OpenSite, SiteRegistry};

/// The number of actions submitted to the writer before their answers are awaited: below the length of its queue, so
/// that each is accepted at once.
const AT_ONCE: usize = 1024;

/// Creates the site and runs the script on it.
///
/// # Errors
/// Returns an error if the database is unavailable, or if the rules refuse a step, which only a fault in the script can
/// cause.
pub(super) async fn play(
    registry: &SiteRegistry,
    cast: Cast,
    script: Vec<Planned>,
    set_up_at: Timestamp,
) -> anyhow::Result<Arc<OpenSite>> {
    // Hashed before anything is written, because it takes longest.
    let mut pins = Vec::with_capacity(CREW.len());
    for member in &CREW {
        pins.push(hash_secret(member.pin.to_owned()).await?);
    }
    let site = CreateSite { site: cast.site.clone() };
    site.run(&registry.db, &registry.clock, &registry.ids, Some(set_up_at)).await.context("create the demo site")?;
    let site = registry.site(cast.site.id).await?.context("the demo site was created and isn't there")?;
    for scene in script.chunks(AT_ONCE) {
        in_order(&site, &cast, &pins, scene).await?;
    }
    Ok(site)
}

/// Submits actions to the writer in this order, and waits until all are durable. The writer takes the queued actions
/// into one transaction and decides them one after the other, so each sees the effects of those before it; a week takes
/// some ten commits.
async fn in_order(site: &OpenSite, cast: &Cast, pins: &[String], scene: &[Planned]) -> anyhow::Result<()> {
    let mut doing = Vec::with_capacity(scene.len());
    for planned in scene {
        let source = match planned.by {
            By::Button(_) => Source::Device,
            By::Person(_) => Source::App,
            By::Server => Source::Server,
        };
        let act = site.act_at(action(planned, cast, pins)?, actor(planned.by, cast), source, planned.at);
        let mut act = Box::pin(act);
        // Unconstrained: tokio's cooperative budget would admit only some hundred actions to the queue, and the rest
        // would take one commit each.
        let early = tokio::task::unconstrained(poll_fn(|cx| Poll::Ready(poll(act.as_mut(), cx)))).await;
        doing.push((planned, act, early));
    }
    for (planned, act, early) in doing {
        let done = match early {
            Some(done) => done,
            None => act.await,
        };
        let done = done.with_context(|| format!("play the demo: {planned:?}"))?;
        if let DemoAction::Press(press) = &planned.deed {
            let foretold = Answer::Pressed(press.request);
            ensure!(done.answer == foretold, "The demo foretold {foretold:?}, and {:?} came of it.", done.answer);
        }
    }
    Ok(())
}

fn poll(
    act: Pin<&mut impl Future<Output = Result<ActionOutcome, ActionError>>>,
    cx: &mut std::task::Context<'_>,
) -> Option<Result<ActionOutcome, ActionError>> {
    match act.poll(cx) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn actor(by: By, cast: &Cast) -> Actor {
    match by {
        By::Server => Actor::System,
        By::Button(device) => Actor::Button { name: SPOTS[DEVICES[device].spot].name.to_owned() },
        By::Person(person) => cast.actor(person),
    }
}

fn action(planned: &Planned, cast: &Cast, pins: &[String]) -> anyhow::Result<Box<dyn Action>> {
    let device = match planned.by {
        By::Button(device) => DEVICES[device].id.to_owned(),
        By::Server | By::Person(_) => String::new(),
    };
    let delivery = |name: &str| Delivery {
        connection: 1,
        clean_start: false,
        said_goodbye: None,
        dup: false,
        packet_id: None,
        client_id: Some(device.clone()),
        payload_hash: name.bytes().fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into())),
        received_at: planned.at,
    };
    Ok(match &planned.deed {
        DemoAction::Do(verb) => Box::new(actions::Execute(verb.clone())),
        DemoAction::Press(press) => {
            let delivery = delivery(&press.name);
            let raise = RaiseRequest { device, own: true, press: seen(press, planned.at), delivery, via: None };
            Box::new(Foretold { raise, seed: press.seed })
        }
        DemoAction::Speak { transcript, duration_ms } => Box::new(KeepRecording {
            delivery: delivery(transcript),
            device,
            own: true,
            key: ButtonKey::Main,
            format: "adpcm".to_owned(),
            duration_ms: Some(*duration_ms),
            bytes: Vec::new(),
            audio_url: None,
            transcript: Some((*transcript).to_owned()),
            via: None,
        }),
        DemoAction::Hear(vitals) => Box::new(HearButton { device, own: true, vitals: vitals.clone(), greets: false }),
        DemoAction::Babble(babble) => Box::new(CountUnrecognised(vec![StoredMessage {
            device: babble.device.to_owned(),
            reason: babble.why.code().to_owned(),
            topic: babble.topic.to_owned(),
            sample: babble.sample.as_bytes().to_vec(),
            times: babble.times,
            last_at: planned.at,
        }])),
        DemoAction::GivePin(person) => {
            let (Some(known), Some(hash)) = (cast.people.get(*person), pins.get(*person)) else {
                bail!("nobody has the number {person}");
            };
            Box::new(SetPersonSecret { person_id: known.id, hash: hash.clone() })
        }
        DemoAction::GivePassword(index) => Box::new(SetButtonSecret {
            button_id: cast.buttons[*index],
            hash: Some(hash_code(DEVICES[*index].password().as_bytes())),
        }),
        DemoAction::GiveJoinCode => Box::new(SetJoinCode { hash: Some(hash_code(JOIN_CODE.as_bytes())) }),
    })
}

fn seen(press: &Press, at: Timestamp) -> SeenPress {
    SeenPress {
        kind: press.kind,
        key: press.key,
        evidence: Evidence::Named(press.name.clone()),
        device_press_id: Some(press.name.clone()),
        device_time: Some(at),
        vitals: press.vitals.clone(),
        transcript: None,
        audio_url: None,
    }
}

/// A press whose ids come from a seed of its own. The script therefore knows its request's id in advance, and the
/// acceptance can wait in the same queue.
#[derive(Debug)]
struct Foretold {
    raise: RaiseRequest,
    seed: u64,
}

impl Action for Foretold {
    fn reads(&self, wants: &mut ReadSet) {
        self.raise.reads(wants);
    }

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let ids = Ids::seeded(self.seed);
        self.raise.decide(world, &ActionContext { ids: &ids, ..*moment })
    }
}
