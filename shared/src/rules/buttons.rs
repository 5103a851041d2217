//! The rules of buttons: enrolment, place and retirement.

use super::{Change, Decision, DecisionContext, name};
use crate::button::{Button, ButtonState, Health, device_id};
use crate::ids::{ButtonId, PlaceId};
use crate::person::Right;
use crate::{Code, Refusal};

impl DecisionContext<'_> {
    /// Assigns a button to a place: a new one begins to ring, another moves, a retired one is reactivated.
    pub fn assign_button(&self, id: ButtonId, place_id: PlaceId, called: Option<&str>) -> Decision {
        self.actor.need(Right::AssignButtons)?;
        let before = self.button(id)?;
        let place = self.place(place_id)?;
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
        self.actor.need(Right::AssignButtons)?;
        let device = &device_id(device);
        if self.view.button(id).is_some() || self.view.device(device).is_some() {
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
            place_id: Some(self.place(place_id)?.id),
            has_credentials: false,
            health: Health::default(),
        };
        Ok(vec![Change::new(button, "button_created")])
    }

    /// Retires a button: its presses are recorded and don't ring.
    pub fn retire_button(&self, id: ButtonId) -> Decision {
        self.actor.need(Right::AssignButtons)?;
        let before = self.button(id)?;
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
        let assign = |case: &DecisionContext<'_>| case.assign_button(button.id, saloon().id, Some(" by the bar "));
        assert_eq!(decided(&mut yacht, assign), ["button_assigned"]);
        assert_eq!(decided(&mut yacht, assign), [""; 0], "it is there already");
        assert_eq!(decided(&mut yacht, |case| case.retire_button(button.id)), ["button_retired"]);
        assert_eq!(decided(&mut yacht, |case| case.retire_button(button.id)), [""; 0], "it is retired already");
        assert_eq!(decided(&mut yacht, assign), ["button_assigned"]);
        let sight: &dyn super::super::StateView = &yacht;
        let moved = sight.button(button.id).unwrap();
        assert_eq!((moved.place_id, moved.name.as_deref()), (Some(saloon().id), Some("by the bar")));
        assert_eq!((moved.state, moved.device.as_str()), (ButtonState::Assigned, "cabin-5"));
    }

    #[test]
    fn a_device_is_one_button() {
        let (yacht, actor) = (Yacht::default(), by(&dana()));
        let case = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        for (number, device) in [(41, "cabin-5"), (40, "cabin-6")] {
            let refusal = case.create_button(id(number), device, cabin().id, None).unwrap_err();
            assert_eq!(refusal.code, Code::NameTaken);
        }
    }

    #[test]
    fn a_device_is_named_as_in_its_topic() {
        let (yacht, actor) = (Yacht::default(), by(&dana()));
        let case = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        for device in ["", "a\nb", &"x".repeat(65)] {
            let refusal = case.create_button(id(41), device, cabin().id, None).unwrap_err();
            assert_eq!(refusal.details["field"], "device", "{device:?}");
        }
        assert!(case.create_button(id(41), &"x".repeat(64), cabin().id, None).is_ok());
    }

    #[test]
    fn a_device_is_one_button_however_its_address_is_spelled() {
        let mut yacht = Yacht::default();
        let create = |case: &DecisionContext<'_>| case.create_button(id(41), "AA:BB:CC:DD:EE:07", cabin().id, None);
        assert_eq!(decided(&mut yacht, create), ["button_created"]);
        let sight: &dyn super::super::StateView = &yacht;
        assert_eq!(sight.button(id(41)).unwrap().device, "aabbccddee07");
        let actor = by(&dana());
        let case = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        for spelled in ["AABBCCDDEE07", "aabbccddee07", "aa-bb-cc-dd-ee-07"] {
            let refusal = case.create_button(id(42), spelled, cabin().id, None).unwrap_err();
            assert_eq!(refusal.code, Code::NameTaken, "{spelled}");
        }
    }
}
