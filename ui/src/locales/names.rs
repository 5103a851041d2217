//! Names of kinds and states.

use crewbell_shared::button::{ButtonKey, ButtonState};
use crewbell_shared::call::{Outcome, Why};
use crewbell_shared::person::Role;
use crewbell_shared::place::PlaceKind;
use crewbell_shared::protocol::live::Status;
use crewbell_shared::request::{Kind, Priority, Request, RequestState};
use crewbell_shared::site::SiteSettings;

use super::{Text, fill, words};

/// What a request asks for: the name of its service, or of its kind.
pub fn wish(request: &Request) -> String {
    match (request.kind, &request.service) {
        (Kind::Service, Some(code)) => service(code),
        (Kind::Service | Kind::Call | Kind::Urgent | Kind::Voice | Kind::Emergency, _) => kind(request.kind).to_owned(),
    }
}

/// The name of a kind of request.
pub fn kind(kind: Kind) -> Text {
    let w = &words().kinds;
    match kind {
        Kind::Call => w.call,
        Kind::Urgent => w.urgent,
        Kind::Voice => w.voice,
        Kind::Emergency => w.emergency,
        Kind::Service => w.service,
    }
}

/// The name of a service by its code; a site's own code is shown as words: `shoe_shine` is "Shoe shine".
pub fn service(code: &str) -> String {
    let w = &words().kinds;
    match code {
        "lights" => w.lights.to_owned(),
        "prepare_food" => w.prepare_food.to_owned(),
        "bring_drinks" => w.bring_drinks.to_owned(),
        SiteSettings::DO_NOT_DISTURB => w.do_not_disturb.to_owned(),
        own => as_words(own),
    }
}

/// Turns a code into words: `shoe_shine` is "Shoe shine".
pub fn as_words(code: &str) -> String {
    let spaced = code.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The name of a priority.
pub fn priority(priority: Priority) -> Text {
    let w = &words().kinds;
    match priority {
        Priority::Low => w.priority_low,
        Priority::Normal => w.priority_normal,
        Priority::High => w.priority_high,
        Priority::Emergency => w.priority_emergency,
    }
}

/// The name of a request's state.
pub fn state(state: &RequestState) -> Text {
    let w = &words().kinds;
    match state {
        RequestState::Open => w.state_open,
        RequestState::Accepted(_) => w.state_accepted,
        RequestState::Completed { .. } => w.state_completed,
        RequestState::Cancelled { .. } => w.state_cancelled,
    }
}

/// The name of a role.
pub fn role(role: Role) -> Text {
    let w = &words().kinds;
    match role {
        Role::Crew => w.role_crew,
        Role::Supervisor => w.role_supervisor,
        Role::Technician => w.role_technician,
        Role::Dispatcher => w.role_dispatcher,
        Role::Admin => w.role_admin,
    }
}

/// The name of a kind of place.
pub fn place_kind(kind: PlaceKind) -> Text {
    let w = &words().kinds;
    match kind {
        PlaceKind::Deck => w.place_deck,
        PlaceKind::Cabin => w.place_cabin,
        PlaceKind::Shared => w.place_shared,
        PlaceKind::Crew => w.place_crew,
    }
}

/// The name of a button's enrolment state.
pub fn button_state(state: ButtonState) -> Text {
    let w = &words().kinds;
    match state {
        ButtonState::New => w.button_new,
        ButtonState::Assigned => w.button_assigned,
        ButtonState::Retired => w.button_retired,
    }
}

/// The name of a presence; `None` means that this device can't know it.
pub fn presence(presence: Option<Status>) -> Text {
    let w = &words().calls;
    match presence {
        Some(Status::Online) => w.online,
        Some(Status::Busy) => w.busy,
        Some(Status::InCall) => w.in_call,
        Some(Status::Offline) => w.offline,
        None => w.unknown,
    }
}

/// The name of a call's outcome.
pub fn outcome(outcome: Outcome) -> Text {
    let w = &words().calls;
    match outcome {
        Outcome::Completed => w.completed,
        Outcome::Missed { why: Why::NoAnswer } => w.no_answer,
        Outcome::Missed { why: Why::Busy } => w.busy,
        Outcome::Missed { why: Why::InCall } => w.was_in_call,
        Outcome::Missed { why: Why::Offline } => w.offline,
        Outcome::Rejected => w.rejected,
        Outcome::Cancelled => w.cancelled,
        Outcome::Dropped => w.dropped,
    }
}

/// The name of a key of a button.
pub fn key(key: ButtonKey) -> String {
    let aux = |n: &str| fill(words().kinds.key_aux, &[("n", n)]);
    match key {
        ButtonKey::Main => words().kinds.key_main.to_owned(),
        ButtonKey::Aux1 => aux("1"),
        ButtonKey::Aux2 => aux("2"),
        ButtonKey::Aux3 => aux("3"),
        ButtonKey::Aux4 => aux("4"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_the_sites_own_is_read_as_words() {
        assert_eq!(service("shoe_shine"), "Shoe shine");
        assert_eq!(service("lights"), "Lights");
        assert_eq!(service(""), "");
    }
}
