//! The grouping of the crew, and the warnings about their devices.

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Person;

/// The crew in groups, each sorted by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// People on duty.
    pub on_duty: Vec<PersonId>,
    /// People off duty.
    pub off_duty: Vec<PersonId>,
    /// People who may no longer sign in.
    pub inactive: Vec<PersonId>,
}

impl Groups {
    /// Groups the people whose names contain the words.
    pub fn of(mut people: Vec<Person>, words: &str) -> Self {
        let words = words.trim().to_lowercase();
        people.retain(|person| person.name.to_lowercase().contains(&words));
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id));
        let mut groups = Self::default();
        for person in people {
            let group = match (person.active, person.on_duty) {
                (false, _) => &mut groups.inactive,
                (true, true) => &mut groups.on_duty,
                (true, false) => &mut groups.off_duty,
            };
            group.push(person.id);
        }
        groups
    }
}

/// Whether alerts reach a person audibly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// There is no warning.
    Fine,
    /// The person is on duty without an open device.
    Nothing,
    /// This number of their devices can't play sounds.
    Mute(u32),
}

/// Derives the warning from the numbers of open devices and of those that can sound.
pub fn hearing(on_duty: bool, devices: u32, sounding: u32) -> Hearing {
    match (on_duty, devices.saturating_sub(sounding)) {
        (true, _) if devices == 0 => Hearing::Nothing,
        (_, 0) => Hearing::Fine,
        (_, mute) => Hearing::Mute(mute),
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{alex, sam, siri, tom};

    use super::*;

    #[test]
    fn the_crew_stands_by_duty_and_name() {
        let off = Person { on_duty: false, ..tom() };
        let gone = Person { active: false, on_duty: false, ..alex() };
        let small = Person { name: "sam".into(), ..sam() };
        let groups = Groups::of(vec![siri(), off.clone(), gone.clone(), small.clone()], "");
        assert_eq!(groups.on_duty, [small.id, siri().id]);
        assert_eq!((groups.off_duty, groups.inactive), (vec![off.id], vec![gone.id]));
    }

    #[test]
    fn a_person_is_found_by_a_part_of_their_name() {
        let groups = Groups::of(vec![siri(), sam(), tom()], " S");
        assert_eq!(groups.on_duty, [sam().id, siri().id]);
    }

    #[test]
    fn who_is_on_duty_without_a_device_hears_nothing() {
        assert_eq!(hearing(true, 0, 0), Hearing::Nothing);
        assert_eq!(hearing(false, 0, 0), Hearing::Fine);
        assert_eq!(hearing(true, 2, 1), Hearing::Mute(1));
        assert_eq!(hearing(true, 2, 2), Hearing::Fine);
    }
}
