//! Guests and their stays. Guests don't sign in.

mod verbs;

pub use verbs::{GuestVerb, StayVerb};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::EntityBody;
use crate::ids::{GuestId, PlaceId, StayId};

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guest {
    /// The guest's id.
    pub id: GuestId,
    /// The name that the guest prefers.
    pub name: String,
    /// Notes for the crew: preferences, allergies.
    pub notes: String,
}

/// A guest's time in a place, from check-in to check-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stay {
    /// The stay's id.
    pub id: StayId,
    /// The guest who stays.
    pub guest_id: GuestId,
    /// The place where the guest stays.
    pub place_id: PlaceId,
    /// Time of check-in.
    pub checked_in_at: Timestamp,
    /// Time of check-out; none while the guest stays.
    pub checked_out_at: Option<Timestamp>,
}

impl EntityBody for Guest {}

impl EntityBody for Stay {
    fn closed_at(&self) -> Option<Timestamp> {
        self.checked_out_at
    }
}

/// The guest who has stayed longest in a place, among those who have not checked out.
pub fn longest_in<'a>(place: PlaceId, stays: impl IntoIterator<Item = &'a Stay>) -> Option<GuestId> {
    let current = stays.into_iter().filter(|stay| stay.place_id == place && stay.checked_out_at.is_none());
    current.min_by_key(|stay| (stay.checked_in_at, stay.id)).map(|stay| stay.guest_id)
}

/// Whether a place has other guests than the guest of the stay `beside`.
pub fn others_stay_in<'a>(place: PlaceId, beside: StayId, stays: impl IntoIterator<Item = &'a Stay>) -> bool {
    let mut stays = stays.into_iter();
    stays.any(|stay| stay.place_id == place && stay.id != beside && stay.checked_out_at.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, cabin, id, saloon, stay};

    #[test]
    fn of_several_guests_the_first_who_came_is_asked_for_and_who_left_is_not() {
        let first = Stay { id: id(73), guest_id: id(63), ..stay() };
        let later = Stay { id: id(72), guest_id: id(62), checked_in_at: at(5), ..stay() };
        let gone = Stay { id: id(71), guest_id: id(61), checked_in_at: at(-99), checked_out_at: Some(at(0)), ..stay() };
        let elsewhere = Stay { id: id(74), place_id: saloon().id, checked_in_at: at(-99), ..stay() };
        assert_eq!(longest_in(cabin().id, [&gone, &elsewhere, &later, &first]), Some(id(63)));
        assert_eq!(longest_in(cabin().id, [&gone]), None);
    }
}
