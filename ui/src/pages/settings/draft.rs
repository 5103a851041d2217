//! The site settings as typed, and their conversion to settings.

use std::ops::RangeInclusive;

use crewbell_shared::button::ButtonKey;
use crewbell_shared::request::Priority;
use crewbell_shared::site::{Service, SiteSettings};

/// The keys whose service can be chosen.
pub const KEYS: [ButtonKey; 4] = [ButtonKey::Aux1, ButtonKey::Aux2, ButtonKey::Aux3, ButtonKey::Aux4];

/// The services that the app has texts for.
pub const KNOWN: [&str; 4] = [SiteSettings::DO_NOT_DISTURB, "lights", "prepare_food", "bring_drinks"];

/// The option value for a service of the site's own; no service code equals it.
pub const OWN: &str = "+";

/// Parses a number and checks its range.
pub fn number(typed: &str, range: &RangeInclusive<u32>) -> Option<u32> {
    typed.trim().parse().ok().filter(|number| range.contains(number))
}

/// The numeric settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The press window, in seconds.
    pub press_window_s: u32,
    /// How long a call rings, in seconds.
    pub ring_time_s: u32,
    /// The retention time, in days.
    pub retention_days: u32,
    /// The number of days that a device may be unused.
    pub session_days: u32,
    /// The number of days that devices keep closed entities.
    pub closed_days: u32,
}

/// A service as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// A known code, [`OWN`], or empty for none.
    pub chosen: String,
    /// The name of a service of the site's own.
    pub own: String,
    /// The priority.
    pub priority: Priority,
}

impl Typed {
    /// A plain call without a service.
    pub fn plain() -> Self {
        Self { chosen: String::new(), own: String::new(), priority: Priority::Normal }
    }

    /// The current service of a key.
    pub fn of(settings: &SiteSettings, key: ButtonKey) -> Self {
        match settings.service(key) {
            None => Self::plain(),
            Some(Service { code, priority, .. }) if KNOWN.contains(&code.as_str()) => {
                Self { chosen: code.clone(), own: String::new(), priority: *priority }
            }
            Some(Service { code, priority, .. }) => {
                Self { chosen: OWN.to_owned(), own: code.replace('_', " "), priority: *priority }
            }
        }
    }

    /// The resulting service; `None` for a plain call, and for an own service without a name.
    pub fn service(&self, key: ButtonKey) -> Option<Service> {
        let code = if self.chosen == OWN { code(&self.own) } else { self.chosen.clone() };
        (!code.is_empty()).then_some(Service { key, code, priority: self.priority })
    }

    /// Whether it is an own service without a name.
    pub fn lacks_name(&self) -> bool {
        self.chosen == OWN && code(&self.own).is_empty()
    }
}

/// Converts a name to a code: `Shoe shine` is `shoe_shine`.
fn code(name: &str) -> String {
    name.split([' ', '_']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_").to_lowercase()
}

/// Replaces numbers, time zone and services in the settings. Values that can't be typed here, and the order, are kept.
pub fn with(before: &SiteSettings, numbers: Numbers, time_zone: &str, typed: &[(ButtonKey, Typed)]) -> SiteSettings {
    let Numbers { press_window_s, ring_time_s, retention_days, session_days, closed_days } = numbers;
    let time_zone = time_zone.trim().to_owned();
    let typed_for = |key: ButtonKey| typed.iter().find(|(other, _)| *other == key).map(|(_, typed)| typed);
    let changed = before.services.iter().filter_map(|old| match typed_for(old.key) {
        Some(typed) => typed.service(old.key),
        None => Some(old.clone()),
    });
    let added = typed.iter().filter(|(key, _)| before.service(*key).is_none());
    let added = added.filter_map(|(key, typed)| typed.service(*key));
    let services = changed.chain(added).collect();
    // The fields are listed one by one, so that a new setting fails to compile here instead of getting lost.
    let vocabulary = before.vocabulary.clone();
    SiteSettings {
        press_window_s,
        retention_days,
        ring_time_s,
        session_days,
        closed_days,
        time_zone,
        services,
        vocabulary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crewbell_shared::rules::decide;
    use crewbell_shared::testing::{Yacht, alex, at, by};

    const USUAL: Numbers =
        Numbers { press_window_s: 20, ring_time_s: 60, retention_days: 400, session_days: 30, closed_days: 7 };

    fn typed_of(settings: &SiteSettings) -> Vec<(ButtonKey, Typed)> {
        KEYS.map(|key| (key, Typed::of(settings, key))).to_vec()
    }

    #[test]
    fn what_nobody_touched_stays_as_it_was() {
        let own = Service { key: ButtonKey::Aux2, code: "shoe_shine".into(), priority: Priority::High };
        let main = Service { key: ButtonKey::Main, code: "butler".into(), priority: Priority::Normal };
        let last = Service { key: ButtonKey::Aux1, code: "lights".into(), priority: Priority::Low };
        let settings = SiteSettings { services: vec![own, main, last], ..SiteSettings::default() };
        let usual = SiteSettings::default();
        assert_eq!(with(&settings, USUAL, "UTC", &typed_of(&settings)), settings);
        assert_eq!(with(&usual, USUAL, "UTC", &typed_of(&usual)), usual);
        let other = Numbers { press_window_s: 1, ring_time_s: 90, retention_days: 2, session_days: 7, closed_days: 3 };
        let time_zone = "Europe/Zagreb".to_owned();
        let changed = SiteSettings {
            press_window_s: 1,
            ring_time_s: 90,
            retention_days: 2,
            session_days: 7,
            closed_days: 3,
            time_zone,
            ..usual.clone()
        };
        assert_eq!(with(&usual, other, " Europe/Zagreb ", &typed_of(&usual)), changed);
    }

    #[test]
    fn an_own_service_is_a_code_of_small_letters() {
        let own = |own: &str| Typed { chosen: OWN.into(), own: own.into(), priority: Priority::Low };
        assert_eq!(own(" Shoe  Shine ").service(ButtonKey::Aux1).unwrap().code, "shoe_shine");
        assert!(own(" _ ").lacks_name() && own(" ").service(ButtonKey::Aux1).is_none());
        assert_eq!(Typed::plain().service(ButtonKey::Aux1), None);
    }

    #[test]
    fn numbers_are_whole_and_within_what_the_rules_take() {
        let typed = |typed| number(typed, &SiteSettings::RING_TIME_S);
        assert_eq!([" 20 ", "10", "300"].map(typed), [Some(20), Some(10), Some(300)]);
        assert_eq!(["", "-1", "20.5", "9", "301", "x"].map(typed), [None; 6]);
    }

    #[test]
    fn what_can_be_typed_is_taken_by_the_rules() {
        let save = |numbers| {
            let verb = crewbell_shared::protocol::Verb::Site(crewbell_shared::site::SiteVerb::SaveSettings {
                settings: with(&SiteSettings::default(), numbers, "UTC", &[]),
            });
            decide(&verb, &Yacht::default(), &by(&alex()), at(0)).map(|changes| changes.len())
        };
        let numbers = |end: fn(&RangeInclusive<u32>) -> &u32| Numbers {
            press_window_s: *end(&SiteSettings::PRESS_WINDOW_S),
            ring_time_s: *end(&SiteSettings::RING_TIME_S),
            retention_days: *end(&SiteSettings::RETENTION_DAYS),
            session_days: *end(&SiteSettings::SESSION_DAYS),
            closed_days: *end(&SiteSettings::CLOSED_DAYS),
        };
        assert_eq!([save(numbers(RangeInclusive::start)), save(numbers(RangeInclusive::end))], [Ok(1), Ok(1)]);
        assert!(save(Numbers { ring_time_s: 9, ..USUAL }).is_err());
    }
}
