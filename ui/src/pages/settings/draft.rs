//! What is typed of a site's settings, and the settings that come of it.

use crewbell_shared::button::Key;
use crewbell_shared::request::Priority;
use crewbell_shared::site::{Service, Settings};

/// Seconds of the press window, at most; the rules refuse more.
pub const MOST_SECONDS: u32 = 600;
/// Days of retention, at most; the rules refuse more.
pub const MOST_DAYS: u32 = 3650;

/// The keys whose service can be chosen.
pub const KEYS: [Key; 4] = [Key::Aux1, Key::Aux2, Key::Aux3, Key::Aux4];

/// The services that the app has words for.
pub const KNOWN: [&str; 4] = [Settings::DO_NOT_DISTURB, "lights", "prepare_food", "bring_drinks"];

/// What stands for "own" where a service is chosen; no code is like it.
pub const OWN: &str = "+";

/// A number that was typed, if it is one that can be taken.
pub fn number(typed: &str, most: u32) -> Option<u32> {
    typed.trim().parse().ok().filter(|number| *number <= most)
}

/// A service as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// A known code, [`OWN`], or nothing.
    pub chosen: String,
    /// The name of the site's own.
    pub own: String,
    /// How urgent it is.
    pub priority: Priority,
}

impl Typed {
    /// A plain call: no service.
    pub fn plain() -> Self {
        Self { chosen: String::new(), own: String::new(), priority: Priority::Normal }
    }

    /// A key's service as it is.
    pub fn of(settings: &Settings, key: Key) -> Self {
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

    /// The service that is meant; none for a plain call, and for an own one without a name.
    pub fn service(&self, key: Key) -> Option<Service> {
        let code = if self.chosen == OWN { code(&self.own) } else { self.chosen.clone() };
        (!code.is_empty()).then_some(Service { key, code, priority: self.priority })
    }

    /// Whether it is an own one without a name.
    pub fn lacks_name(&self) -> bool {
        self.chosen == OWN && code(&self.own).is_empty()
    }
}

/// A name as a code: `Shoe shine` is `shoe_shine`.
fn code(name: &str) -> String {
    name.split([' ', '_']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_").to_lowercase()
}

/// The settings with other numbers and services; what can't be typed here stays as it is, and all in its order.
pub fn with(before: &Settings, press_window_s: u32, retention_days: u32, typed: &[(Key, Typed)]) -> Settings {
    let typed_for = |key: Key| typed.iter().find(|(other, _)| *other == key).map(|(_, typed)| typed);
    let changed = before.services.iter().filter_map(|old| match typed_for(old.key) {
        Some(typed) => typed.service(old.key),
        None => Some(old.clone()),
    });
    let added = typed.iter().filter(|(key, _)| before.service(*key).is_none());
    let added = added.filter_map(|(key, typed)| typed.service(*key));
    let services = changed.chain(added).collect();
    Settings { press_window_s, retention_days, services, ..before.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crewbell_shared::rules::decide;
    use crewbell_shared::testing::{Yacht, alex, at, by};

    fn typed_of(settings: &Settings) -> Vec<(Key, Typed)> {
        KEYS.map(|key| (key, Typed::of(settings, key))).to_vec()
    }

    #[test]
    fn what_nobody_touched_stays_as_it_was() {
        let own = Service { key: Key::Aux2, code: "shoe_shine".into(), priority: Priority::High };
        let main = Service { key: Key::Main, code: "butler".into(), priority: Priority::Normal };
        let last = Service { key: Key::Aux1, code: "lights".into(), priority: Priority::Low };
        let settings = Settings { services: vec![own, main, last], ..Settings::default() };
        assert_eq!(with(&settings, 20, 400, &typed_of(&settings)), settings);
        assert_eq!(with(&Settings::default(), 20, 400, &typed_of(&Settings::default())), Settings::default());
    }

    #[test]
    fn an_own_service_is_a_code_of_small_letters() {
        let own = |own: &str| Typed { chosen: OWN.into(), own: own.into(), priority: Priority::Low };
        assert_eq!(own(" Shoe  Shine ").service(Key::Aux1).unwrap().code, "shoe_shine");
        assert!(own(" _ ").lacks_name() && own(" ").service(Key::Aux1).is_none());
        assert_eq!(Typed::plain().service(Key::Aux1), None);
    }

    #[test]
    fn numbers_are_whole_and_within_what_the_rules_take() {
        assert_eq!([" 20 ", "0", "600"].map(|typed| number(typed, MOST_SECONDS)), [Some(20), Some(0), Some(600)]);
        assert_eq!(["", "-1", "2.5", "601", "x"].map(|typed| number(typed, MOST_SECONDS)), [None; 5]);
    }

    /// The limits here are the rules'.
    #[test]
    fn the_most_that_can_be_typed_is_the_most_that_is_taken() {
        let save = |press_window_s, retention_days| {
            let settings = Settings { press_window_s, retention_days, services: Vec::new(), ..Settings::default() };
            let verb = crewbell_shared::protocol::Verb::SaveSettings { settings };
            decide(&verb, &Yacht::default(), &by(&alex()), at(0)).map(|changes| changes.len())
        };
        assert_eq!(save(MOST_SECONDS, MOST_DAYS), Ok(1));
        assert!(save(MOST_SECONDS + 1, MOST_DAYS).is_err() && save(MOST_SECONDS, MOST_DAYS + 1).is_err());
    }
}
