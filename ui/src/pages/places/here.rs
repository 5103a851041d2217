//! Guests, open requests and buttons per place, collected once for the list, so that no row searches everything.

use std::collections::BTreeMap;

use crewbell_shared::button::{Button, ButtonState};
use crewbell_shared::guest::Stay;
use crewbell_shared::ids::{GuestId, PlaceId};
use crewbell_shared::request::{Request, RequestState};

use crate::state::AppState;

/// Guests, open requests and buttons per place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Here {
    spots: BTreeMap<PlaceId, Spot>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Spot {
    guests: Vec<String>,
    open: usize,
    buttons: usize,
}

impl Here {
    /// Collects the current state and subscribes to all of it.
    pub fn now(state: AppState) -> Self {
        let name = |id| state.guest_name(id).unwrap_or_default();
        let mut stays = state.stays.list(|item| Some(item.entity.clone()));
        stays.sort_by_key(|stay| (stay.checked_in_at, stay.id));
        let mut here = Self::default();
        for stay in &stays {
            here.stay(stay, name);
        }
        for place in state.requests.list(|item| is_open(&item.entity).then_some(item.entity.place_id)) {
            here.spots.entry(place).or_default().open += 1;
        }
        for place in state.buttons.list(|item| rings_for(&item.entity)) {
            here.spots.entry(place).or_default().buttons += 1;
        }
        here
    }

    /// The guests who stay in a place, in the order of their arrival.
    pub fn guests(&self, id: PlaceId) -> Vec<String> {
        self.spots.get(&id).map(|spot| spot.guests.clone()).unwrap_or_default()
    }

    /// The number of requests that aren't closed.
    pub fn open(&self, id: PlaceId) -> usize {
        self.spots.get(&id).map_or(0, |spot| spot.open)
    }

    /// The number of buttons that ring for the place.
    pub fn buttons(&self, id: PlaceId) -> usize {
        self.spots.get(&id).map_or(0, |spot| spot.buttons)
    }

    fn stay(&mut self, stay: &Stay, name: impl Fn(GuestId) -> String) {
        if stay.checked_out_at.is_none() {
            self.spots.entry(stay.place_id).or_default().guests.push(name(stay.guest_id));
        }
    }
}

/// The place that a button rings for.
fn rings_for(button: &Button) -> Option<PlaceId> {
    button.place_id.filter(|_| button.state == ButtonState::Assigned)
}

/// Whether a request is open or accepted.
pub fn is_open(request: &Request) -> bool {
    matches!(request.state, RequestState::Open | RequestState::Accepted(_))
}

#[cfg(test)]
mod tests {
    use crewbell_shared::request::Acceptance;
    use crewbell_shared::testing::{at, button, cabin, open_request, siri, stay};

    use super::*;

    #[test]
    fn what_is_in_hand_is_open_and_what_is_done_is_not() {
        let acceptance = Acceptance { accepted_by: siri().as_ref(), accepted_at: at(1) };
        let done = RequestState::Completed {
            acceptance: acceptance.clone(),
            completed_by: siri().as_ref(),
            completed_at: at(2),
        };
        let open = [RequestState::Open, RequestState::Accepted(acceptance), done]
            .map(|state| is_open(&Request { state, ..open_request(at(0)) }));
        assert_eq!(open, [true, true, false]);
    }

    #[test]
    fn a_button_out_of_use_rings_for_no_place() {
        assert_eq!(rings_for(&button()), Some(cabin().id));
        assert_eq!(rings_for(&Button { state: ButtonState::Retired, ..button() }), None);
    }

    #[test]
    fn who_checked_out_is_not_there() {
        let mut here = Here::default();
        here.stay(&stay(), |_| "Gus".into());
        here.stay(&Stay { checked_out_at: Some(at(9)), ..stay() }, |_| "Ann".into());
        assert_eq!(here.guests(cabin().id), ["Gus"]);
    }
}
