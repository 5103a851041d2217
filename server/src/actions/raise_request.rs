//! A button was pressed: the press is recorded, and a request rings.
//!
//! Whatever else happens, the press is recorded. Then, in this order:
//! - a repetition of a press that is recorded already does nothing, and is answered as a success;
//! - a button that nobody has assigned to a place doesn't ring; it shows up as new, with its press;
//! - do-not-disturb is switched at the place, which is shown and never suppresses a press;
//! - a press that asks for what is open already, within the site's window, joins that request and rings again;
//! - anything else is a new request.

use crewbell_shared::Refusal;
use crewbell_shared::button::{
    Button, ButtonState, Delivery, Evidence, Health, Judgement, Memory, PressKind, SeenPress, judge,
};
use crewbell_shared::ids::{ButtonId, RequestId};
use crewbell_shared::place::Place;
use crewbell_shared::request::{Kind, Request, State, Voice, Wish, joins, pressed_again};
use crewbell_shared::rules::Sight;
use crewbell_shared::site::Settings;

use super::hear_button::{heard, heard_by, memory_of};
use super::{Action, Answer, Moment, Step, Steps, Wants, World};
use crate::db::buttons::KnownButton;
use crate::db::presses::Press;

/// Buttons that may wait to be assigned at a site; more are somebody playing with ids.
const MAX_NEW_BUTTONS: i64 = 200;

/// A button was pressed.
#[derive(Clone, Debug)]
pub struct RaiseRequest {
    /// The button's id on the wire.
    pub device: String,
    /// Whether it signed in as this button; otherwise it may not speak for one that has credentials of its own.
    pub own: bool,
    /// The press as decoded.
    pub press: SeenPress,
    /// How it was delivered.
    pub delivery: Delivery,
}

impl Action for RaiseRequest {
    fn wants(&self, wants: &mut Wants) {
        wants.devices.insert(self.device.clone());
        wants.pressed.push((self.device.clone(), self.press.kind, self.press.key));
        if let Evidence::Named(name) = &self.press.evidence {
            wants.presses.push((self.device.clone(), name.clone()));
        }
    }

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        let (known, is_new) = match world.known(&self.device) {
            Some(known) => (heard_by(known, self.own)?, false),
            None => (unknown(world, &self.device, moment)?, true),
        };
        let (judgement, memory) = judge(&memory_of(&known), &self.press.evidence, &self.press.vitals, &self.delivery);
        let (press_key, repeated) = match judgement {
            // A counter says "the same press", the finger says "somebody is in danger": in doubt, ring.
            Judgement::Repeat { .. } if self.is_doubtful_emergency() => (None, false),
            Judgement::Repeat { press_key } => (press_key, true),
            Judgement::New { press_key } => (press_key, false),
        };
        let recorded = press_key.as_deref().and_then(|key| world.recorded(known.button.id, key));
        let (known, kind) = heard(known, memory, &self.press.vitals, moment.at);
        if repeated || recorded.is_some() {
            metrics::counter!("presses_repeated_total").increment(1);
            let steps = Steps::none().and(Step::Button { known: Box::new(known), kind });
            return Ok(steps.answering(Answer::Repeated(recorded.flatten())));
        }

        let place = (known.button.state == ButtonState::Assigned)
            .then(|| known.button.place_id.and_then(|id| world.place(id)))
            .flatten();
        let (effect, request_id) = match place {
            Some(place) => self.ring(world, moment, &known, place),
            None => (Steps::none(), None),
        };
        let kind = if is_new { Some("button_found") } else { kind };
        let kind = if !is_new && place.is_none() { Some("button_pressed") } else { kind };
        let button_id = known.button.id;
        let mut steps = Steps::none().and(Step::Button { known: Box::new(known), kind });
        steps.steps.extend(effect.steps);
        let press = self.record(moment, button_id, press_key, request_id);
        Ok(steps.and(Step::Press(press)).answering(Answer::Pressed(request_id)))
    }
}

impl RaiseRequest {
    /// What the press does at the button's place, and the request that it made or joined.
    fn ring(
        &self,
        world: &World,
        moment: &Moment<'_>,
        known: &KnownButton,
        place: &Place,
    ) -> (Steps, Option<RequestId>) {
        let settings = &world.site.settings;
        let wish = Wish::of_press(self.press.kind, self.press.key, settings);
        if wish.service.as_deref() == Some(Settings::DO_NOT_DISTURB) {
            let place = Place { do_not_disturb: !place.do_not_disturb, ..place.clone() };
            let kind = if place.do_not_disturb { "do_not_disturb_set" } else { "do_not_disturb_cleared" };
            return (Steps::change(place, kind), None);
        }
        let open = world.open_at(place.id).filter(|request| joins(request, &wish, moment.at, settings));
        if let Some(request) = open.max_by_key(|request| request.created_at) {
            let request = pressed_again(request.clone(), self.press.device_press_id.clone(), moment.at);
            let id = request.id;
            return (Steps::change(request, "request_pressed_again"), Some(id));
        }
        let request = Request {
            id: moment.ids.next(moment.at),
            place_id: place.id,
            place_name: place.name.clone(),
            guest_id: world.guest_in(place.id),
            button_id: Some(known.button.id),
            created_by: None,
            created_at: moment.at,
            kind: wish.kind,
            service: wish.service,
            priority: wish.priority,
            text: None,
            press_count: 1,
            last_press_id: self.press.device_press_id.clone(),
            last_press_at: Some(moment.at),
            voice: self.voice(wish.kind),
            notes: Vec::new(),
            state: State::Open,
        };
        let id = request.id;
        (Steps::change(request, "request_created"), Some(id))
    }

    /// An emergency that is called a repetition on other grounds than its own name or MQTT's word.
    fn is_doubtful_emergency(&self) -> bool {
        let emergency = matches!(self.press.kind, PressKind::Shake | PressKind::Emergency);
        let sure = self.delivery.dup || matches!(self.press.evidence, Evidence::Named(_));
        emergency && !sure
    }

    /// What the message itself says of the guest's voice; the recording follows.
    fn voice(&self, kind: Kind) -> Option<Voice> {
        let said = self.press.transcript.is_some() || self.press.audio_url.is_some();
        (kind == Kind::Voice || said).then(|| Voice {
            recording_id: None,
            duration_ms: None,
            audio_url: self.press.audio_url.clone(),
            transcript: self.press.transcript.clone(),
        })
    }

    fn record(
        &self,
        moment: &Moment<'_>,
        button_id: ButtonId,
        press_key: Option<String>,
        request_id: Option<RequestId>,
    ) -> Press {
        Press {
            id: moment.ids.next(moment.at),
            button_id,
            press_key,
            device_press_id: self.press.device_press_id.clone(),
            kind: self.press.kind,
            key: self.press.key,
            device_time: self.press.device_time,
            received_at: moment.at,
            request_id,
        }
    }
}

/// A button that was never heard before.
fn unknown(world: &World, device: &str, moment: &Moment<'_>) -> Result<KnownButton, Refusal> {
    if world.new_buttons >= MAX_NEW_BUTTONS {
        let message = format!("{MAX_NEW_BUTTONS} buttons wait to be assigned already.");
        return Err(Refusal::new(crewbell_shared::Code::TooMany, message).with("limit", &MAX_NEW_BUTTONS));
    }
    let button = Button {
        id: moment.ids.next(moment.at),
        device: device.to_owned(),
        name: None,
        state: ButtonState::New,
        place_id: None,
        has_credentials: false,
        health: Health::default(),
    };
    let memory = serde_json::to_value(Memory::default()).unwrap_or_default();
    Ok(KnownButton { button, memory, seen_at: None })
}
