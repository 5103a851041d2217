//! Updates a button's health from its telemetry: connection, battery, signal, firmware, or mere presence.

use crewbell_shared::Refusal;
use crewbell_shared::button::{DedupState, Health, Telemetry, note_health};
use jiff::Timestamp;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::buttons::KnownButton;

/// Updates a button's health from its telemetry.
#[derive(Clone, Debug)]
pub struct HearButton {
    /// The button's device id.
    pub device: String,
    /// Whether the connection signed in as this button; otherwise it may not speak for a button with credentials of its
    /// own.
    pub own: bool,
    /// The telemetry.
    pub vitals: Telemetry,
    /// Whether the message is a mere connect without telemetry. That changes only a button that was lost or flaps.
    pub greets: bool,
}

impl Action for HearButton {
    fn reads(&self, reads: &mut ReadSet) {
        reads.devices.insert(self.device.clone());
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        // A device becomes known by its press: bridges also report the health of lamps and sensors.
        let Some(known) = unit.known(&self.device) else { return Ok(Effects::none()) };
        let known = heard_by(known, self.own)?;
        let health = &known.button.health;
        if self.greets && health.online != Some(false) && health.flapping_since.is_none() {
            return Ok(Effects::none());
        }
        let memory = note_health(&memory_of(&known), &self.vitals, ctx.at);
        let (known, kind) = heard(known, memory, &self.vitals, ctx.at);
        Ok(Effects::none().and(Effect::Button { known: Box::new(known), kind }))
    }
}

/// Returns a known button, or refuses a message by another client for a button with credentials of its own.
pub(super) fn heard_by(known: KnownButton, own: bool) -> Result<KnownButton, Refusal> {
    if known.button.has_credentials && !own {
        return Err(Refusal::new(crewbell_shared::Code::NotAllowed, "The button has credentials of its own."));
    }
    Ok(known)
}

/// Parses a button's dedup state. An unreadable one is replaced by an empty one: then a resend may ring twice, which is
/// the lesser evil.
pub(super) fn memory_of(known: &KnownButton) -> DedupState {
    serde_json::from_value(known.memory.clone()).unwrap_or_default()
}

/// Returns the button after a message, with its dedup state and last-heard time, and the entry's type if the change of
/// its health is worth logging.
pub(super) fn heard(
    known: KnownButton,
    memory: DedupState,
    vitals: &Telemetry,
    at: Timestamp,
) -> (KnownButton, Option<&'static str>) {
    let KnownButton { mut button, found_via, .. } = known;
    let mut memory = memory;
    let heard = button.health.heard(vitals, at);
    let health = button.health.damped(heard, &mut memory.flapping, at);
    let kind = button.health.worth_telling(&health).then(|| kind_of(&button.health, &health));
    if kind.is_some() {
        button.health = health;
    }
    let memory = serde_json::to_value(memory).unwrap_or_default();
    (KnownButton { button, memory, seen_at: Some(at), found_via }, kind)
}

pub(super) fn kind_of(before: &Health, now: &Health) -> &'static str {
    match (before.flapping_since, now.flapping_since) {
        (None, Some(_)) => return "button_flapping",
        (Some(_), None) => return if now.online == Some(false) { "button_lost" } else { "button_connected" },
        (Some(_), Some(_)) | (None, None) => {}
    }
    match (before.online, now.online) {
        (Some(false) | None, Some(true)) => "button_connected",
        (Some(true) | None, Some(false)) => "button_lost",
        (_, _) => "button_seen",
    }
}
