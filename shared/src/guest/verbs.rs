//! The verbs of guests and stays, and their rules.

use super::{Guest, Stay, others_stay_in};
use crate::ids::{GuestId, PlaceId, StayId};
use crate::person::Right;
use crate::place::Place;
use crate::protocol::{VerbMeta, VerbSet, verbs};
use crate::request::MAX_TEXT;
use crate::rules::{Change, Decision, DecisionContext, Lookup, name, saved, words};
use crate::{Code, Refusal};

verbs! {
    /// The operations on a guest.
    pub enum GuestVerb {
        /// Creates a guest, or changes the one with that id. What is left out goes to its default.
        Save = "save_guest" {
            /// The guest's id, made by the client when they are new.
            guest_id: GuestId,
            /// The name that the guest prefers.
            #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
            name: String,
            /// Notes for the crew.
            #[serde(default)]
            #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
            notes: String,
        }
    }
}

impl VerbSet for GuestVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::Save { guest_id, .. } => VerbMeta::of(*guest_id).by(Right::EditGuests),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::Save { guest_id, name, notes } => ctx.save_guest(*guest_id, name, notes),
        }
    }
}

verbs! {
    /// The operations on a stay.
    pub enum StayVerb {
        /// Checks a guest into a place. A guest stays in one place at a time; a place may hold several.
        CheckIn = "check_in" {
            /// The new stay's id, made by the client.
            stay_id: StayId,
            /// The guest.
            guest_id: GuestId,
            /// The place.
            place_id: PlaceId,
        }
        /// Checks a guest out; the place's do-not-disturb goes with the last one.
        CheckOut = "check_out" {
            /// The id of the stay that ends.
            stay_id: StayId,
        }
    }
}

impl VerbSet for StayVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::CheckIn { stay_id, guest_id, place_id } => {
                VerbMeta::creating(*stay_id).with(*guest_id).with(*place_id).by(Right::EditGuests)
            }
            Self::CheckOut { stay_id } => VerbMeta::of(*stay_id).by(Right::EditGuests),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::CheckIn { stay_id, guest_id, place_id } => ctx.check_in(*stay_id, *guest_id, *place_id),
            Self::CheckOut { stay_id } => ctx.check_out(*stay_id),
        }
    }
}

impl DecisionContext<'_> {
    /// Creates or changes a guest.
    pub fn save_guest(&self, id: GuestId, called: &str, notes: &str) -> Decision {
        let guest = Guest { id, name: name("name", called)?, notes: words("notes", notes, MAX_TEXT)? };
        Ok(saved(self.view.get(id), guest, "guest_created", "guest_changed"))
    }

    /// Checks a guest into a place. The database ensures that the guest has no other stay.
    pub fn check_in(&self, id: StayId, guest_id: GuestId, place_id: PlaceId) -> Decision {
        if self.view.get(id).is_some() {
            return Err(Refusal::new(Code::StayConflict, "There is such a stay already."));
        }
        let stay = Stay {
            id,
            guest_id: self.known(guest_id)?.id,
            place_id: self.known(place_id)?.id,
            checked_in_at: self.at,
            checked_out_at: None,
        };
        Ok(vec![Change::new(stay, "guest_checked_in")])
    }

    /// Checks a guest out.
    pub fn check_out(&self, id: StayId) -> Decision {
        let before = self.known(id)?;
        if before.checked_out_at.is_some() {
            return Err(Refusal::new(Code::StayConflict, "They have checked out already.").with("stay", before));
        }
        let stay = Stay { checked_out_at: Some(self.at), ..before.clone() };
        // The wish of the guest who leaves ends, so that the next guest doesn't inherit it; it stays on for other
        // guests of the place.
        let shared = others_stay_in(stay.place_id, stay.id, self.view.each());
        let place = self.view.get(stay.place_id).filter(|place| place.do_not_disturb && !shared);
        let cleared = place.map(|place| Place { do_not_disturb: false, ..place.clone() });
        let cleared = cleared.map(|place| Change::new(place, "do_not_disturb_cleared"));
        Ok(cleared.into_iter().chain([Change::new(stay, "guest_checked_out")]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use crate::rules::guest_in;
    use crate::testing::{Yacht, at, by, cabin, dana, gus, id, open_request, saloon, stay};

    fn decided(
        yacht: &mut Yacht,
        rule: impl Fn(&DecisionContext<'_>) -> Decision,
    ) -> Result<Vec<&'static str>, Refusal> {
        let changes = rule(&DecisionContext { view: yacht, actor: &by(&dana()), at: at(60) })?;
        Ok(yacht.apply(changes))
    }

    #[test]
    fn a_guest_is_created_then_changed_then_as_they_were() {
        let mut yacht = Yacht::default();
        let mut save = |notes: &str| decided(&mut yacht, |ctx| ctx.save_guest(id(61), "Greta", notes)).unwrap();
        assert_eq!(save(""), ["guest_created"]);
        assert_eq!(save("No nuts"), ["guest_changed"]);
        assert_eq!(save(" No nuts\n"), [""; 0]);
    }

    #[test]
    fn who_checks_out_leaves_no_do_not_disturb_behind() {
        let quiet = Place { do_not_disturb: true, ..cabin() };
        let mut yacht = Yacht::default().with(quiet);
        let out = |ctx: &DecisionContext<'_>| ctx.check_out(stay().id);
        assert_eq!(decided(&mut yacht, out).unwrap(), ["do_not_disturb_cleared", "guest_checked_out"]);
        assert!(!yacht.get(cabin().id).unwrap().do_not_disturb);
        assert_eq!((yacht.get(stay().id).unwrap().checked_out_at, guest_in(&yacht, cabin().id)), (Some(at(60)), None));
        let refusal = decided(&mut yacht, out).unwrap_err();
        assert_eq!((refusal.code, refusal.details["stay"]["id"].is_string()), (Code::StayConflict, true));
    }

    #[test]
    fn while_somebody_stays_on_the_place_and_their_stay_are_as_they_were() {
        let quiet = Place { do_not_disturb: true, ..cabin() };
        for guests in 1..=3_u32 {
            let mut yacht = Yacht::default().with(quiet.clone());
            for number in 2..=guests {
                let number = u128::from(number);
                yacht =
                    yacht.with(Stay { id: id(70 + number), guest_id: id(60 + number), checked_in_at: at(5), ..stay() });
            }
            let mut leaving: Vec<_> = (2..=guests).map(|number| id(70 + u128::from(number))).collect();
            leaving.insert(leaving.len() / 2, stay().id);
            for (gone, stay) in (1..).zip(leaving) {
                let out = decided(&mut yacht, |ctx| ctx.check_out(stay)).unwrap();
                let last = gone == guests;
                assert_eq!(out.contains(&"do_not_disturb_cleared"), last, "{gone} of {guests}");
                assert_eq!(yacht.get(cabin().id).unwrap().do_not_disturb, !last);
                assert_eq!(guest_in(&yacht, cabin().id).is_some(), !last, "whoever stays is asked for");
            }
        }
    }

    #[test]
    fn whoever_checks_out_every_request_stays_as_it_is_and_their_own_stay_theirs() {
        let another = |number: u128| Stay { id: id(70 + number), guest_id: id(60 + number), ..stay() };
        let stays = [stay(), another(2), another(3)];
        for guests in 1..=stays.len() {
            let there = &stays[..guests];
            let of_guest = |(number, stay): (u128, &Stay)| Request {
                id: id(number),
                guest_id: Some(stay.guest_id),
                ..open_request(at(30))
            };
            let requests: Vec<Request> = (51..).zip(there).map(of_guest).collect();
            let yacht = there.iter().cloned().fold(Yacht::default(), Yacht::with);
            let mut yacht = requests.iter().cloned().fold(yacht, Yacht::with);
            for stay in there {
                let out = decided(&mut yacht, |ctx| ctx.check_out(stay.id)).unwrap();
                assert_eq!(out, ["guest_checked_out"], "of {guests}");
                for request in &requests {
                    assert_eq!(yacht.get(request.id), Some(request), "of {guests}");
                }
            }
        }
    }

    #[test]
    fn a_stay_begins_once_with_a_guest_and_a_place_that_are_known() {
        let mut yacht = Yacht::default();
        let mut check_in = |stay, guest, place| decided(&mut yacht, |ctx| ctx.check_in(stay, guest, place));
        assert_eq!(check_in(id(71), id(999), saloon().id).unwrap_err().details["what"], "guest");
        assert_eq!(check_in(id(71), gus().id, id(999)).unwrap_err().details["what"], "place");
        assert_eq!(check_in(id(71), gus().id, saloon().id).unwrap(), ["guest_checked_in"]);
        assert_eq!(check_in(id(71), gus().id, saloon().id).unwrap_err().code, Code::StayConflict);
    }
}
