//! The text keys of each part of the app. The texts themselves are in `en/`, `de/`, `fr/`, `hr/`.
//!
//! To add a text: add a line to its part here, and one in each language. A language without it doesn't compile. Names
//! in braces (`{name}`) are filled in by `fill`; a test checks that all languages have the same.

mod activity;
mod buttons;
mod calls;
mod codes;
mod common;
mod frame;
mod guests;
mod kinds;
mod log;
mod new_request;
mod outbox;
mod people;
mod places;
mod request;
mod requests;
mod settings;
mod sign_in;
mod time;
mod troubles;
mod verbs;

pub use activity::Activity;
pub use buttons::Buttons;
pub use calls::Calls;
pub use codes::Codes;
pub use common::Common;
pub use frame::Frame;
pub use guests::Guests;
pub use kinds::Kinds;
pub use log::Log;
pub use new_request::NewRequest;
pub use outbox::Outbox;
pub use people::People;
pub use places::Places;
pub use request::Request;
pub use requests::Requests;
pub use settings::Settings;
pub use sign_in::SignIn;
pub use time::Time;
pub use troubles::Troubles;
pub use verbs::Verbs;

use super::{Plural, Text};

/// All texts in one language.
#[derive(Debug)]
pub struct Words {
    /// Texts of the activity page.
    pub activity: Activity,
    /// Texts of the buttons page.
    pub buttons: Buttons,
    /// Texts about calls and presence.
    pub calls: Calls,
    /// Texts for refusal codes and other errors.
    pub codes: Codes,
    /// Texts used in many places: buttons, answers, small words.
    pub common: Common,
    /// Texts of the frame around every page: navigation, connection state, banners.
    pub frame: Frame,
    /// Texts of the guests page.
    pub guests: Guests,
    /// Names of kinds and states: requests, services, roles, places, buttons.
    pub kinds: Kinds,
    /// Texts for log entries, as shown in timelines and in the activity log.
    pub log: Log,
    /// Texts of the page for a new request.
    pub new_request: NewRequest,
    /// Texts of the outbox page.
    pub outbox: Outbox,
    /// Texts of the people page.
    pub people: People,
    /// Texts of the places page.
    pub places: Places,
    /// Texts of a request's page.
    pub request: Request,
    /// Texts of the request board.
    pub requests: Requests,
    /// Texts of the settings page.
    pub settings: Settings,
    /// Texts of the sign-in page.
    pub sign_in: SignIn,
    /// Texts for times and durations.
    pub time: Time,
    /// Texts for connection errors.
    pub troubles: Troubles,
    /// Texts for commands, as shown in the outbox.
    pub verbs: Verbs,
}

/// Declares a struct with the texts of a part of the app.
macro_rules! words {
    ($(#[$doc:meta])* $area:ident { $($(#[$note:meta])* $key:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $area { $($(#[$note])* pub $key: $kind),* }

        #[cfg(test)]
        impl $area {
            /// Visits all texts with their keys.
            pub fn each(&self, visit: &mut dyn FnMut(&'static str, &dyn super::super::Said)) {
                $(visit(stringify!($key), &self.$key);)*
            }
        }
    };
}
use words;

#[cfg(test)]
impl Words {
    /// Visits all texts with their keys.
    pub fn each(&self, visit: &mut dyn FnMut(&'static str, &dyn super::Said)) {
        self.activity.each(visit);
        self.buttons.each(visit);
        self.calls.each(visit);
        self.codes.each(visit);
        self.common.each(visit);
        self.frame.each(visit);
        self.guests.each(visit);
        self.kinds.each(visit);
        self.log.each(visit);
        self.new_request.each(visit);
        self.outbox.each(visit);
        self.people.each(visit);
        self.places.each(visit);
        self.request.each(visit);
        self.requests.each(visit);
        self.settings.each(visit);
        self.sign_in.each(visit);
        self.time.each(visit);
        self.troubles.each(visit);
        self.verbs.each(visit);
    }
}
