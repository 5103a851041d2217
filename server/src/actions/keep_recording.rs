//! What a guest said reached us: it goes to the request that rang when they began to speak.

use crewbell_shared::Refusal;
use crewbell_shared::button::{Delivery, Evidence, Key, PressKind, SeenPress, Vitals};
use crewbell_shared::ids::RecordingId;
use crewbell_shared::protocol::Entity;
use crewbell_shared::request::{Request, Voice};
use jiff::{SignedDuration, Timestamp};

use super::hear_button::heard_by;
use super::raise_request::RaiseRequest;
use super::{Action, Moment, Step, Steps, Wants, World};
use crate::db::recordings::Recording;

/// How long after the press a recording still belongs to it: the longest hold, and a slow radio.
const BELONGS_FOR: SignedDuration = SignedDuration::from_secs(120);

/// What a guest said reached us.
#[derive(Clone, Debug)]
pub struct KeepRecording {
    /// The button's id on the wire.
    pub device: String,
    /// Whether it signed in as this button; otherwise it may not speak for one that has credentials of its own.
    pub own: bool,
    /// Which key was held.
    pub key: Key,
    /// `adpcm`, `pcm`, `wav`: as the device named it.
    pub format: String,
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u32>,
    /// The sound; empty when it is to be fetched.
    pub bytes: Vec<u8>,
    /// Where it is to be fetched.
    pub audio_url: Option<String>,
    /// What was said.
    pub transcript: Option<String>,
    /// How it was delivered.
    pub delivery: Delivery,
}

impl Action for KeepRecording {
    fn wants(&self, wants: &mut Wants) {
        wants.devices.insert(self.device.clone());
        let since: Timestamp = self.delivery.received_at.saturating_sub(BELONGS_FOR).unwrap_or(Timestamp::MIN);
        wants.voice_of.push((self.device.clone(), since));
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        let known = world.known(&self.device);
        if let Some(known) = known {
            heard_by(known, self.own)?;
        }
        let spoken = known.and_then(|known| {
            let of_button = |request: &&Request| request.button_id == Some(known.button.id);
            let voice = |request: &&Request| request.voice.is_some();
            world.requests.iter().filter(of_button).filter(voice).max_by_key(|request| request.created_at)
        });
        // A recording whose press never came rings by itself: the guest did speak.
        let mut steps = match spoken {
            Some(_) => Steps::none(),
            None => self.late_press().decide(world, moment)?,
        };
        let created = steps.steps.iter().find_map(request_of).cloned();
        let Some(request) = spoken.or(created.as_ref()) else { return Ok(steps) };
        let Some(button_id) = request.button_id else { return Ok(steps) };
        let before = request.voice.clone();
        let repeated = before.as_ref().is_some_and(|voice| voice.recording_id.is_some());
        if repeated && self.delivery.dup {
            return Ok(steps);
        }
        let recording_id: Option<RecordingId> = (!self.bytes.is_empty()).then(|| moment.ids.next(moment.at));
        let voice = Voice {
            recording_id: recording_id.or(before.as_ref().and_then(|voice| voice.recording_id)),
            duration_ms: self.duration_ms.or(before.as_ref().and_then(|voice| voice.duration_ms)),
            audio_url: self.audio_url.clone().or(before.as_ref().and_then(|voice| voice.audio_url.clone())),
            transcript: self.transcript.clone().or(before.and_then(|voice| voice.transcript)),
        };
        let request = Request { voice: Some(voice), ..request.clone() };
        let request_id = request.id;
        steps = steps.and_change(request, "request_voice_added");
        if let Some(id) = recording_id {
            steps = steps.and(Step::Recording(Recording {
                id,
                button_id,
                request_id,
                received_at: moment.at,
                format: self.format.clone(),
                duration_ms: self.duration_ms,
                bytes: self.bytes.clone(),
            }));
        }
        Ok(steps)
    }
}

impl KeepRecording {
    fn late_press(&self) -> RaiseRequest {
        let press = SeenPress {
            kind: PressKind::Long,
            key: self.key,
            evidence: Evidence::Nothing,
            device_press_id: None,
            device_time: None,
            vitals: Vitals::default(),
            transcript: self.transcript.clone(),
            audio_url: self.audio_url.clone(),
        };
        RaiseRequest { device: self.device.clone(), own: self.own, press, delivery: self.delivery.clone() }
    }
}

fn request_of(step: &Step) -> Option<&Request> {
    let Step::Change { entity, .. } = step else { return None };
    let Entity::Request(request) = entity.as_ref() else { return None };
    Some(request)
}
