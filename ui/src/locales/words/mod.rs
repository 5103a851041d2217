//! The words of each part of the app: what there is to say. How it is said stands in `en/`, `de/`, `fr/`, `hr/`.
//!
//! To say something new: a line in the part of the app that says it, and one in each language. A language without it
//! doesn't compile. Names in braces (`{name}`) are filled in by `fill`; a test sees that all languages have the same.

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

/// Everything that the app says, in one language.
#[derive(Debug)]
pub struct Words {
    /// What the page of what happened says
    pub activity: Activity,
    /// What the page of the buttons says
    pub buttons: Buttons,
    /// What is said of calls and of who can be called
    pub calls: Calls,
    /// A sentence for each refusal, and for whatever else came to nothing
    pub codes: Codes,
    /// What is said everywhere: buttons, answers, small words
    pub common: Common,
    /// What stands around every page: the ways, the connection, what is out of the ordinary
    pub frame: Frame,
    /// What the page of the guests says
    pub guests: Guests,
    /// Names of sorts and states: requests, services, roles, places, buttons
    pub kinds: Kinds,
    /// A sentence for everything that happens, as timelines and the activity tell it
    pub log: Log,
    /// What the page of a new request says
    pub new_request: NewRequest,
    /// What the outbox page says
    pub outbox: Outbox,
    /// What the page of the people says
    pub people: People,
    /// What the page of the places says
    pub places: Places,
    /// What a request's page says
    pub request: Request,
    /// What the board says
    pub requests: Requests,
    /// What the settings page says
    pub settings: Settings,
    /// What the sign-in page says
    pub sign_in: SignIn,
    /// Times and spans
    pub time: Time,
    /// Why there is no connection
    pub troubles: Troubles,
    /// What a person did, in words, for the outbox
    pub verbs: Verbs,
}

/// A part of the app, with what it says.
macro_rules! words {
    ($(#[$doc:meta])* $area:ident { $($(#[$note:meta])* $key:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $area { $($(#[$note])* pub $key: $kind),* }

        #[cfg(test)]
        impl $area {
            /// Shows everything that is said, by name.
            pub fn each(&self, visit: &mut dyn FnMut(&'static str, &dyn super::super::Said)) {
                $(visit(stringify!($key), &self.$key);)*
            }
        }
    };
}
use words;

#[cfg(test)]
impl Words {
    /// Shows everything that is said, by name.
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
