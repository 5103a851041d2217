//! The set-up of the demo site, a day before the week begins: crew, places, buttons and guests.

use crewbell_shared::button::ButtonVerb;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::guest::StayVerb;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::Verb;
use jiff::{SignedDuration, Timestamp};

use super::cast::{ALEX, CREW, DANA, DEVICES, FIRST_CABIN, GRACE, SPOTS, VISITORS};
use super::timeline::{By, DemoAction, Timeline};

/// Writes the set-up into the script, mostly one step a second.
pub(super) fn write(script: &mut Timeline, set_up_at: Timestamp) {
    let mut at = set_up_at;
    let mut next = || {
        at += SignedDuration::from_secs(1);
        at
    };
    for (index, member) in CREW.iter().enumerate() {
        let person_id = script.cast.people[index].id;
        let verb =
            Verb::Person(PersonVerb::Save { person_id, name: member.name.to_owned(), role: member.role, active: true });
        script.happens(next(), By::Server, DemoAction::Do(verb));
        script.happens(next(), By::Server, DemoAction::GivePin(index));
    }
    script.happens(next(), By::Server, DemoAction::GiveJoinCode);
    for (index, spot) in SPOTS.iter().enumerate() {
        let siblings = SPOTS[..index].iter().filter(|before| before.deck == spot.deck).count();
        let verb = Verb::Place(PlaceVerb::Save {
            place_id: script.cast.places[index],
            parent_id: spot.deck.map(|deck| script.cast.places[deck]),
            name: spot.name.to_owned(),
            kind: spot.kind,
            position: i32::try_from(siblings).unwrap_or_default() + 1,
        });
        script.does(next(), ALEX, verb);
    }
    for (index, device) in DEVICES.iter().enumerate() {
        let verb = Verb::Button(ButtonVerb::Create {
            button_id: script.cast.buttons[index],
            device: device.id.to_owned(),
            place_id: script.cast.places[device.spot],
            name: None,
        });
        script.does(next(), ALEX, verb);
        script.happens(next(), By::Person(ALEX), DemoAction::GivePassword(index));
    }
    script.check_buttons(next() + SignedDuration::from_mins(5), None);
    for (index, visitor) in VISITORS.iter().enumerate() {
        let (guest_id, _) = script.cast.guests[index];
        let verb =
            Verb::Guest(GuestVerb::Save { guest_id, name: visitor.name.to_owned(), notes: visitor.notes.to_owned() });
        script.does(next(), DANA, verb);
    }
    for index in (0..VISITORS.len()).filter(|&index| VISITORS[index].came.is_none()) {
        let at = next() + SignedDuration::from_hours(4);
        check_in(script, at, index);
    }
}

/// Writes the check-outs of a day, at 10:20, and the check-ins, at 14:00.
pub(super) fn write_moves(script: &mut Timeline, midnight: Timestamp, day: i64) {
    for (index, visitor) in VISITORS.iter().enumerate() {
        if visitor.left == Some(day) {
            let (_, stay_id) = script.cast.guests[index];
            script.does(
                midnight + SignedDuration::from_mins(10 * 60 + 20),
                GRACE,
                Verb::Stay(StayVerb::CheckOut { stay_id }),
            );
        }
        if visitor.came == Some(day) {
            check_in(script, midnight + SignedDuration::from_hours(14), index);
        }
    }
}

/// Whether a cabin (1 to 12) is occupied at an hour of a day.
pub(super) fn is_taken(cabin: usize, day: i64, hour: i8) -> bool {
    VISITORS.iter().filter(|visitor| visitor.cabin == cabin).any(|visitor| {
        let came = visitor.came.is_none_or(|came| day > came || (day == came && hour >= 15));
        let left = visitor.left.is_some_and(|left| day > left || (day == left && hour >= 9));
        came && !left
    })
}

fn check_in(script: &mut Timeline, at: Timestamp, index: usize) {
    let (guest_id, stay_id) = script.cast.guests[index];
    let place_id = script.cast.places[FIRST_CABIN + VISITORS[index].cabin - 1];
    script.does(at, GRACE, Verb::Stay(StayVerb::CheckIn { stay_id, guest_id, place_id }));
}
