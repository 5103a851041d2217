//! Stores a voice recording and adds it to the request that rang when the guest began to speak, after earlier ones.

use crewbell_shared::Refusal;
use crewbell_shared::button::{
    ButtonKey, ButtonState, DedupState, Delivery, Evidence, PressKind, SeenPress, Telemetry, classify_recording,
};
use crewbell_shared::ids::{ButtonId, RecordingId};
use crewbell_shared::protocol::Entity;
use crewbell_shared::request::{Request, VoiceMessage};
use crewbell_shared::rules::Lookup;
use jiff::{SignedDuration, Timestamp};

use super::hear_button::{heard, heard_by, memory_of};
use super::raise_request::RaiseRequest;
use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::recordings::Recording;

/// Maximum time from the press to its recording: the longest hold, and a slow radio.
const BELONGS_FOR: SignedDuration = SignedDuration::from_secs(120);

/// Stores a voice recording.
#[derive(Clone, Debug)]
pub struct KeepRecording {
    /// The button's device id.
    pub device: String,
    /// Whether the connection signed in as this button; otherwise it may not speak for a button with credentials of its
    /// own.
    pub own: bool,
    /// The key that was held.
    pub key: ButtonKey,
    /// Its format, as the device names it: `adpcm`, `pcm`, `wav`.
    pub format: String,
    /// Its duration in milliseconds.
    pub duration_ms: Option<u32>,
    /// The audio; empty when it is to be fetched.
    pub bytes: Vec<u8>,
    /// URL from which the audio is to be fetched.
    pub audio_url: Option<String>,
    /// Transcript of the audio.
    pub transcript: Option<String>,
    /// How it was delivered.
    pub delivery: Delivery,
    /// The client's address and client id; `None` if unknown.
    pub via: Option<String>,
}

impl Action for KeepRecording {
    fn reads(&self, reads: &mut ReadSet) {
        reads.devices.insert(self.device.clone());
        let since: Timestamp = self.delivery.received_at.saturating_sub(BELONGS_FOR).unwrap_or(Timestamp::MIN);
        reads.voice_of.push((self.device.clone(), since));
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let known = unit.known(&self.device);
        let known = known.map(|known| heard_by(known, self.own)).transpose()?;
        let memory = known.as_ref().map(memory_of).unwrap_or_default();
        let (repeated, memory) = classify_recording(&memory, &self.delivery, !self.bytes.is_empty());
        if repeated {
            return Ok(Effects::none());
        }
        let spoken = known.as_ref().and_then(|known| spoken(unit, known.button.id));
        // A recording whose press never arrived rings by itself: the guest did speak. A recording of a button that
        // doesn't ring is stored with the button.
        let rings = known.as_ref().is_none_or(|known| known.button.state == ButtonState::Assigned);
        let mut steps = if rings && spoken.is_none() {
            self.late_press().decide(unit, ctx)?
        } else {
            let known = known.clone().map(|known| heard(known, memory.clone(), &Telemetry::default(), ctx.at));
            let heard = known.map(|(known, kind)| Effect::Button { known: Box::new(known), kind });
            heard.into_iter().fold(Effects::none(), Effects::and)
        };
        let Some(button_id) = steps.steps.iter_mut().find_map(|step| remember(step, &memory)) else {
            return Ok(steps);
        };
        let recording_id: Option<RecordingId> = (!self.bytes.is_empty()).then(|| ctx.ids.next(ctx.at));
        let created = steps.steps.iter().find_map(request_of).cloned();
        let request = spoken.or(created.as_ref());
        let request_id = request.map(|request| request.id);
        if let Some(request) = request {
            let message = VoiceMessage {
                recording_id,
                duration_ms: self.duration_ms,
                audio_url: self.audio_url.clone(),
                transcript: self.transcript.clone(),
            };
            let before = request.voice.clone().unwrap_or_default();
            // A late press has brought the transcript and the URL along.
            let late = VoiceMessage { audio_url: None, transcript: None, ..message.clone() };
            let voice = before.with(if created.is_some() { late } else { message });
            steps = steps.and_change(Request { voice: Some(voice), ..request.clone() }, "request_voice_added");
        }
        if let Some(id) = recording_id {
            steps = steps.and(Effect::Recording(Recording {
                id,
                button_id,
                request_id,
                received_at: ctx.at,
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
            vitals: Telemetry::default(),
            transcript: self.transcript.clone(),
            audio_url: self.audio_url.clone(),
        };
        RaiseRequest {
            device: self.device.clone(),
            own: self.own,
            press,
            delivery: self.delivery.clone(),
            via: self.via.clone(),
        }
    }
}

/// Returns the request that the recording belongs to: the button's most recently pressed request with voice.
fn spoken(unit: &UnitOfWork, button: ButtonId) -> Option<&Request> {
    let of_button = unit.each::<Request>().filter(|request| request.button_id == Some(button));
    let voice = of_button.filter(|request| request.voice.is_some());
    voice.max_by_key(|request| request.last_press_at.unwrap_or(request.created_at))
}

/// Adds the recording to the button's dedup state, and returns the button's id.
fn remember(step: &mut Effect, memory: &DedupState) -> Option<ButtonId> {
    let Effect::Button { known, .. } = step else { return None };
    let mut after = memory_of(known);
    after.recordings.clone_from(&memory.recordings);
    known.memory = serde_json::to_value(after).unwrap_or_default();
    Some(known.button.id)
}

fn request_of(step: &Effect) -> Option<&Request> {
    let Effect::Change { entity, .. } = step else { return None };
    let Entity::Request(request) = entity.as_ref() else { return None };
    Some(request)
}
