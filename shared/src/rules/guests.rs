//! The rules of guests and stays.

use super::{Change, Decision, DecisionContext, name, saved, words};
use crate::guest::{Guest, Stay};
use crate::ids::{GuestId, PlaceId, StayId};
use crate::person::Right;
use crate::place::Place;
use crate::request::MAX_TEXT;
use crate::{Code, Refusal};

impl DecisionContext<'_> {
    /// Creates or changes a guest.
    pub fn save_guest(&self, id: GuestId, called: &str, notes: &str) -> Decision {
        self.actor.need(Right::EditGuests)?;
        let guest = Guest { id, name: name("name", called)?, notes: words("notes", notes, MAX_TEXT)? };
        Ok(saved(self.view.guest(id), guest, "guest_created", "guest_changed"))
    }

    /// Checks a guest into a place. The database ensures that the guest has no other stay.
    pub fn check_in(&self, id: StayId, guest_id: GuestId, place_id: PlaceId) -> Decision {
        self.actor.need(Right::EditGuests)?;
        if self.view.stay(id).is_some() {
            return Err(Refusal::new(Code::StayConflict, "There is such a stay already."));
        }
        let stay = Stay {
            id,
            guest_id: self.guest(guest_id)?.id,
            place_id: self.place(place_id)?.id,
            checked_in_at: self.at,
            checked_out_at: None,
        };
        Ok(vec![Change::new(stay, "guest_checked_in")])
    }

    /// Checks a guest out.
    pub fn check_out(&self, id: StayId) -> Decision {
        self.actor.need(Right::EditGuests)?;
        let before = self.stay(id)?;
        if before.checked_out_at.is_some() {
            return Err(Refusal::new(Code::StayConflict, "They have checked out already.").with("stay", before));
        }
        let stay = Stay { checked_out_at: Some(self.at), ..before.clone() };
        // The wish of the guest who leaves ends, so that the next guest doesn't inherit it; it stays on for other
        // guests of the place.
        let shared = self.view.others_stay_in(stay.place_id, stay.id);
        let place = self.view.place(stay.place_id).filter(|place| place.do_not_disturb && !shared);
        let cleared = place.map(|place| Place { do_not_disturb: false, ..place.clone() });
        let cleared = cleared.map(|place| Change::new(place, "do_not_disturb_cleared"));
        Ok(cleared.into_iter().chain([Change::new(stay, "guest_checked_out")]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use crate::rules::StateView;
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
        let mut save = |notes: &str| decided(&mut yacht, |case| case.save_guest(id(61), "Greta", notes)).unwrap();
        assert_eq!(save(""), ["guest_created"]);
        assert_eq!(save("No nuts"), ["guest_changed"]);
        assert_eq!(save(" No nuts\n"), [""; 0]);
    }

    #[test]
    fn who_checks_out_leaves_no_do_not_disturb_behind() {
        let quiet = Place { do_not_disturb: true, ..cabin() };
        let mut yacht = Yacht::default().with(quiet);
        let out = |case: &DecisionContext<'_>| case.check_out(stay().id);
        assert_eq!(decided(&mut yacht, out).unwrap(), ["do_not_disturb_cleared", "guest_checked_out"]);
        assert!(!yacht.place(cabin().id).unwrap().do_not_disturb);
        assert_eq!((yacht.stay(stay().id).unwrap().checked_out_at, yacht.guest_in(cabin().id)), (Some(at(60)), None));
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
                let out = decided(&mut yacht, |case| case.check_out(stay)).unwrap();
                let last = gone == guests;
                assert_eq!(out.contains(&"do_not_disturb_cleared"), last, "{gone} of {guests}");
                assert_eq!(yacht.place(cabin().id).unwrap().do_not_disturb, !last);
                assert_eq!(yacht.guest_in(cabin().id).is_some(), !last, "whoever stays is asked for");
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
                let out = decided(&mut yacht, |case| case.check_out(stay.id)).unwrap();
                assert_eq!(out, ["guest_checked_out"], "of {guests}");
                for request in &requests {
                    assert_eq!(yacht.request(request.id), Some(request), "of {guests}");
                }
            }
        }
    }

    #[test]
    fn a_stay_begins_once_with_a_guest_and_a_place_that_are_known() {
        let mut yacht = Yacht::default();
        let mut check_in = |stay, guest, place| decided(&mut yacht, |case| case.check_in(stay, guest, place));
        assert_eq!(check_in(id(71), id(999), saloon().id).unwrap_err().details["what"], "guest");
        assert_eq!(check_in(id(71), gus().id, id(999)).unwrap_err().details["what"], "place");
        assert_eq!(check_in(id(71), gus().id, saloon().id).unwrap(), ["guest_checked_in"]);
        assert_eq!(check_in(id(71), gus().id, saloon().id).unwrap_err().code, Code::StayConflict);
    }
}
