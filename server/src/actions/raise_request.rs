//! Records a button's press, and raises a request.
//!
//! Every press is recorded. Then, in this order:
//! - a repetition of a recorded press does nothing, and is answered as a success;
//! - a button without a place doesn't ring; it is listed as new, with its press;
//! - do-not-disturb is toggled at the place, which is shown and never suppresses a press; a possible repetition doesn't
//!   toggle it;
//! - a press for the same thing as an open request, within the site's window, joins that request and rings again; for
//!   an accepted request, it joins and rings for its holder; a possible repetition joins the request of the press that
//!   it may repeat (`shared::request::joins` and its neighbours);
//! - any other press creates a request, which names the holder of another request of the place.

use crewbell_shared::Refusal;
use crewbell_shared::button::{
    Button, ButtonState, Classification, DedupState, Delivery, Evidence, Health, SeenPress, classify,
};
use crewbell_shared::ids::{ButtonId, RequestId};
use crewbell_shared::place::Place;
use crewbell_shared::request::{
    Held, Kind, Request, RequestState, Voice, VoiceMessage, Wish, echoes, joins, joins_held, pressed_again,
};
use crewbell_shared::rules::{Lookup, StateView, guest_in};
use crewbell_shared::site::SiteSettings;

use super::hear_button::{heard, heard_by, memory_of};
use super::{Action, ActionContext, Answer, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::buttons::KnownButton;
use crate::db::presses::Press;
use crate::db::unrecognised::StoredMessage;

/// Records a button's press, and raises a request.
#[derive(Clone, Debug)]
pub struct RaiseRequest {
    /// The button's device id.
    pub device: String,
    /// Whether the connection signed in as this button; otherwise it may not speak for a button with credentials of its
    /// own.
    pub own: bool,
    /// The press as decoded.
    pub press: SeenPress,
    /// How it was delivered.
    pub delivery: Delivery,
    /// The client's address and client id; `None` if unknown.
    pub via: Option<String>,
}

impl Action for RaiseRequest {
    fn reads(&self, reads: &mut ReadSet) {
        reads.devices.insert(self.device.clone());
        if self.delivery.dup {
            reads.echoes.insert(self.device.clone());
        }
        reads.pressed.push((self.device.clone(), self.press.kind, self.press.key));
        if let Evidence::Named(name) = &self.press.evidence {
            reads.presses.push((self.device.clone(), name.clone()));
        }
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let (known, is_new) = match unit.known(&self.device) {
            Some(known) => (heard_by(known, self.own)?, false),
            None => (self.unknown(unit, ctx)?, true),
        };
        let button_id = known.button.id;
        let recorded = match &self.press.evidence {
            Evidence::Named(name) => unit.recorded(button_id, name).map(|press| press.seen),
            Evidence::Counted { .. } | Evidence::Framed { .. } | Evidence::Standing { .. } | Evidence::Nothing => None,
        };
        let (judgement, memory) = classify(&memory_of(&known), &self.press, &self.delivery, recorded);
        let (known, kind) = heard(known, memory, &self.press.vitals, ctx.at);
        let (press_key, doubtful, reuses_id) = match judgement {
            Classification::Repeat { press_key } => {
                metrics::counter!("presses_repeated_total").increment(1);
                let request = unit.recorded(button_id, &press_key).and_then(|press| press.request_id);
                let steps = Effects::none().and(Effect::Button { known: Box::new(known), kind });
                return Ok(steps.answering(Answer::Repeated(request)));
            }
            Classification::New { press_key, doubtful, reuses_id } => (press_key, doubtful, reuses_id),
        };

        let place = (known.button.state == ButtonState::Assigned)
            .then(|| known.button.place_id.and_then(|id| unit.get(id)))
            .flatten();
        let (effect, request_id) = match place {
            Some(place) => self.ring(unit, ctx, &known, place, doubtful),
            None => (Effects::none(), None),
        };
        let kind = if is_new { Some("button_found") } else { kind };
        let kind = if !is_new && place.is_none() { Some("button_pressed") } else { kind };
        let mut steps = Effects::none().and(Effect::Button { known: Box::new(known), kind });
        steps.steps.extend(effect.steps);
        if reuses_id {
            steps = steps.and(Effect::Unrecognised(self.complaint(ctx)));
        }
        let press = self.record(ctx, button_id, press_key, request_id);
        Ok(steps.and(Effect::Press(press)).answering(Answer::Pressed(request_id)))
    }
}

impl RaiseRequest {
    /// Decides the press's effect at the button's place; returns the effect, and the request that was created or
    /// joined.
    fn ring(
        &self,
        unit: &UnitOfWork,
        ctx: &ActionContext<'_>,
        known: &KnownButton,
        place: &Place,
        doubtful: bool,
    ) -> (Effects, Option<RequestId>) {
        let wish = Wish::of_press(self.press.kind, self.press.key, &unit.site.settings);
        if wish.service.as_deref() == Some(SiteSettings::DO_NOT_DISTURB) {
            // A repetition must not toggle back what its press toggled.
            if doubtful {
                return (Effects::none(), None);
            }
            let place = Place { do_not_disturb: !place.do_not_disturb, ..place.clone() };
            let kind = if place.do_not_disturb { "do_not_disturb_set" } else { "do_not_disturb_cleared" };
            return (Effects::change(place, kind), None);
        }
        if let Some(request) = joined(unit, ctx, place, &wish, doubtful) {
            let voice = match (request.voice.clone(), self.said(wish.kind)) {
                (before, None) => before,
                (before, Some(said)) => Some(before.unwrap_or_default().spoken_again().with(said)),
            };
            let request = Request { voice, ..request.clone() };
            let request = pressed_again(request, self.press.device_press_id.clone(), ctx.at);
            let id = request.id;
            return (Effects::change(request, "request_pressed_again"), Some(id));
        }
        let request = Request {
            id: ctx.ids.next(ctx.at),
            place_id: place.id,
            place_name: place.name.clone(),
            guest_id: guest_in(unit, place.id),
            button_id: Some(known.button.id),
            created_by: None,
            created_at: ctx.at,
            kind: wish.kind,
            service: wish.service,
            priority: wish.priority,
            text: None,
            press_count: 1,
            last_press_id: self.press.device_press_id.clone(),
            last_press_at: Some(ctx.at),
            voice: self.said(wish.kind).map(|said| Voice::default().with(said)),
            held: held_at(unit, place),
            notes: Vec::new(),
            state: RequestState::Open,
        };
        let id = request.id;
        (Effects::change(request, "request_created"), Some(id))
    }

    /// Returns the voice message that the press itself carries, if any; the recording follows.
    fn said(&self, kind: Kind) -> Option<VoiceMessage> {
        let said = self.press.transcript.is_some() || self.press.audio_url.is_some();
        (kind == Kind::Voice || said).then(|| VoiceMessage {
            recording_id: None,
            duration_ms: None,
            audio_url: self.press.audio_url.clone(),
            transcript: self.press.transcript.clone(),
        })
    }

    fn record(
        &self,
        ctx: &ActionContext<'_>,
        button_id: ButtonId,
        press_key: String,
        request_id: Option<RequestId>,
    ) -> Press {
        Press {
            id: ctx.ids.next(ctx.at),
            button_id,
            press_key: Some(press_key),
            device_press_id: self.press.device_press_id.clone(),
            kind: self.press.kind,
            key: self.press.key,
            device_time: self.press.device_time,
            received_at: ctx.at,
            request_id,
        }
    }

    /// Returns the report for the administrator about a device that reuses press ids.
    fn complaint(&self, ctx: &ActionContext<'_>) -> StoredMessage {
        let sample = self.press.device_press_id.as_deref().unwrap_or_default().as_bytes().to_vec();
        StoredMessage {
            device: self.device.clone(),
            reason: REPEATS_PRESS_IDS.to_owned(),
            topic: String::new(),
            sample,
            times: 1,
            last_at: ctx.at,
        }
    }

    /// Returns a new button for an unknown device, or a refusal when too many are unassigned.
    fn unknown(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<KnownButton, Refusal> {
        if !unit.new_buttons.has_room(self.via.as_deref()) {
            let message = "As many buttons as may wait to be assigned already.";
            return Err(Refusal::new(crewbell_shared::Code::TooMany, message).with("limit", &unit.new_buttons.all));
        }
        let button = Button {
            id: ctx.ids.next(ctx.at),
            device: self.device.clone(),
            name: None,
            state: ButtonState::New,
            place_id: None,
            has_credentials: false,
            health: Health::default(),
        };
        let memory = serde_json::to_value(DedupState::default()).unwrap_or_default();
        Ok(KnownButton { button, memory, seen_at: None, found_via: self.via.clone() })
    }
}

/// Reason code for a device that reuses press ids.
const REPEATS_PRESS_IDS: &str = "repeats_press_ids";

/// Returns the request that a press joins instead of creating a new one.
fn joined<'w>(
    unit: &'w UnitOfWork,
    ctx: &ActionContext<'_>,
    place: &Place,
    wish: &Wish,
    doubtful: bool,
) -> Option<&'w Request> {
    let guest = guest_in(unit, place.id);
    let newest = |joins: &dyn Fn(&Request) -> bool| {
        unit.live_at(place.id).filter(|request| joins(request)).max_by_key(|request| request.created_at)
    };
    let echoed = newest(&|request| doubtful && echoes(request, wish, ctx.at));
    let open = || newest(&|request| joins(request, wish, ctx.at, &unit.site.settings));
    let held = || {
        newest(&|request| {
            let holder = request.holder().and_then(|holder| unit.get(holder.id));
            let hears = |id| unit.is_reachable(id);
            holder.is_some_and(|holder| joins_held(request, wish, guest, (holder, hears(holder.id)), ctx.at))
        })
    };
    echoed.or_else(open).or_else(held)
}

/// Returns the latest holder of an accepted request of a place.
fn held_at(unit: &UnitOfWork, place: &Place) -> Option<Held> {
    unit.live_at(place.id).filter_map(Request::held).max_by_key(|held| held.since)
}
