//! The verbs of buttons and their rules: enrolment, place and retirement.

use super::{Button, ButtonState, Health, device_id};
use crate::ids::{ButtonId, PersonId, PlaceId};
use crate::person::Right;
use crate::protocol::{VerbMeta, VerbSet, verbs};
use crate::rules::{Change, Decision, DecisionContext, Lookup, Query, button_of, name};
use crate::{Code, Refusal};

verbs! {
    /// The operations on a button.
    pub enum ButtonVerb {
        /// Assigns a button to a place; also moves it or reactivates a retired one.
        Assign = "assign_button" {
            /// The button's id.
            button_id: ButtonId,
            /// The place.
            place_id: PlaceId,
            /// The button's name, if the place alone doesn't identify it.
            #[serde(default)]
            #[cfg_attr(feature = "openapi", schema(max_length = 200))]
            name: Option<String>,
        }
        /// Creates a button before its first press.
        Create = "create_button" {
            /// The new button's id, made by the client.
            button_id: ButtonId,
            /// The button's device id on the wire.
            #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
            device: String,
            /// The place.
            place_id: PlaceId,
            /// Its name.
            #[serde(default)]
            #[cfg_attr(feature = "openapi", schema(max_length = 200))]
            name: Option<String>,
        }
        /// Retires a button: its presses are recorded and don't ring.
        Retire = "retire_button" {
            /// The button's id.
            button_id: ButtonId,
        }
    }
}

impl VerbSet for ButtonVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::Assign { button_id, place_id, .. } => {
                VerbMeta::of(*button_id).with(*place_id).by(Right::AssignButtons)
            }
            Self::Create { button_id, place_id, .. } => {
                VerbMeta::creating(*button_id).with(*place_id).by(Right::AssignButtons)
            }
            Self::Retire { button_id } => VerbMeta::of(*button_id).by(Right::AssignButtons),
        }
    }

    fn queries(&self, _: Option<PersonId>) -> Vec<Query> {
        match self {
            Self::Create { device, .. } => vec![Query::Device(device_id(device))],
            Self::Assign { .. } | Self::Retire { .. } => Vec::new(),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::Assign { button_id, place_id, name } => ctx.assign_button(*button_id, *place_id, name.as_deref()),
            Self::Create { button_id, device, place_id, name } => {
                ctx.create_button(*button_id, device, *place_id, name.as_deref())
            }
            Self::Retire { button_id } => ctx.retire_button(*button_id),
        }
    }
}

impl DecisionContext<'_> {
    /// Assigns a button to a place: a new one begins to ring, another moves, a retired one is reactivated.
    pub fn assign_button(&self, id: ButtonId, place_id: PlaceId, called: Option<&str>) -> Decision {
        let before = self.known(id)?;
        let place = self.known(place_id)?;
        let button = Button {
            state: ButtonState::Assigned,
            place_id: Some(place.id),
            name: called.map(|text| name("name", text)).transpose()?,
            ..before.clone()
        };
        Ok(if button == *before { Vec::new() } else { vec![Change::new(button, "button_assigned")] })
    }

    /// Creates a button before its first press.
    pub fn create_button(&self, id: ButtonId, device: &str, place_id: PlaceId, called: Option<&str>) -> Decision {
        let device = &device_id(device);
        if self.view.get(id).is_some() || button_of(self.view, device).is_some() {
            return Err(Refusal::new(Code::NameTaken, "There is a button of that name already."));
        }
        if device.is_empty() || device.len() > 64 || device.chars().any(char::is_control) {
            return Err(Refusal::invalid("device", "1 to 64 bytes, as in the topic."));
        }
        let button = Button {
            id,
            device: device.to_owned(),
            name: called.map(|text| name("name", text)).transpose()?,
            state: ButtonState::Assigned,
            place_id: Some(self.known(place_id)?.id),
            has_credentials: false,
            health: Health::default(),
        };
        Ok(vec![Change::new(button, "button_created")])
    }

    /// Retires a button: its presses are recorded and don't ring.
    pub fn retire_button(&self, id: ButtonId) -> Decision {
        let before = self.known(id)?;
        if before.state == ButtonState::Retired {
            return Ok(Vec::new());
        }
        let button = Button { state: ButtonState::Retired, ..before.clone() };
        Ok(vec![Change::new(button, "button_retired")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Yacht, at, button, by, cabin, dana, id, saloon};

    fn decided(yacht: &mut Yacht, rule: impl Fn(&DecisionContext<'_>) -> Decision) -> Vec<&'static str> {
        let changes = rule(&DecisionContext { view: yacht, actor: &by(&dana()), at: at(60) }).unwrap();
        yacht.apply(changes)
    }

    #[test]
    fn a_button_moves_retires_and_comes_back() {
        let mut yacht = Yacht::default();
        let button = button();
        let assign = |ctx: &DecisionContext<'_>| ctx.assign_button(button.id, saloon().id, Some(" by the bar "));
        assert_eq!(decided(&mut yacht, assign), ["button_assigned"]);
        assert_eq!(decided(&mut yacht, assign), [""; 0], "it is there already");
        assert_eq!(decided(&mut yacht, |ctx| ctx.retire_button(button.id)), ["button_retired"]);
        assert_eq!(decided(&mut yacht, |ctx| ctx.retire_button(button.id)), [""; 0], "it is retired already");
        assert_eq!(decided(&mut yacht, assign), ["button_assigned"]);
        let moved = yacht.get(button.id).unwrap();
        assert_eq!((moved.place_id, moved.name.as_deref()), (Some(saloon().id), Some("by the bar")));
        assert_eq!((moved.state, moved.device.as_str()), (ButtonState::Assigned, "cabin-5"));
    }

    #[test]
    fn a_device_is_one_button() {
        let (yacht, actor) = (Yacht::default(), by(&dana()));
        let ctx = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        for (number, device) in [(41, "cabin-5"), (40, "cabin-6")] {
            let refusal = ctx.create_button(id(number), device, cabin().id, None).unwrap_err();
            assert_eq!(refusal.code, Code::NameTaken);
        }
    }

    #[test]
    fn a_device_is_named_as_in_its_topic() {
        let (yacht, actor) = (Yacht::default(), by(&dana()));
        let ctx = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        for device in ["", "a\nb", &"x".repeat(65)] {
            let refusal = ctx.create_button(id(41), device, cabin().id, None).unwrap_err();
            assert_eq!(refusal.details["field"], "device", "{device:?}");
        }
        assert!(ctx.create_button(id(41), &"x".repeat(64), cabin().id, None).is_ok());
    }

    #[test]
    fn a_device_is_one_button_however_its_address_is_spelled() {
        let mut yacht = Yacht::default();
        let create = |ctx: &DecisionContext<'_>| ctx.create_button(id(41), "AA:BB:CC:DD:EE:07", cabin().id, None);
        assert_eq!(decided(&mut yacht, create), ["button_created"]);
        assert_eq!(yacht.get(id::<ButtonId>(41)).unwrap().device, "aabbccddee07");
        let actor = by(&dana());
        let ctx = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        for spelled in ["AABBCCDDEE07", "aabbccddee07", "aa-bb-cc-dd-ee-07"] {
            let refusal = ctx.create_button(id(42), spelled, cabin().id, None).unwrap_err();
            assert_eq!(refusal.code, Code::NameTaken, "{spelled}");
        }
    }
}
