//! The event lines: one text line for each log entry.

use crewbell_shared::button::Button;
use crewbell_shared::protocol::{Entity, Entry};
use crewbell_shared::request::{Kind, Priority, Request, RequestState};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::model::Model;
use crate::cli::format::{plain, span};

/// Formats a time of day in the reader's time zone.
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Formats the line of an entry that the model has already applied.
pub(super) fn entry(model: &Model, entry: &Entry, zone: &TimeZone) -> String {
    let words = match entry.entity() {
        Ok(Some(Entity::Request(request))) => request_changed(model, entry, &request),
        Ok(Some(Entity::Button(button))) => button_changed(model, entry, &button),
        Ok(Some(Entity::Stay(stay))) => {
            let place = model.place(stay.place_id).unwrap_or("somewhere");
            let guest = model.guest(stay.guest_id).unwrap_or("a guest");
            format!("{place} · {} · {guest}", happened(&entry.kind, "guest_"))
        }
        Ok(Some(Entity::Place(place))) if entry.kind.starts_with("do_not_disturb") => {
            format!("{} · do not disturb {}", place.name, if place.do_not_disturb { "on" } else { "off" })
        }
        Ok(Some(Entity::Place(place))) => by(entry, &place.name, &happened(&entry.kind, "place_")),
        Ok(Some(Entity::Person(person))) => {
            let duty = if person.on_duty { "on duty" } else { "off duty" };
            let what = happened(&entry.kind, "person_");
            let what = if entry.kind.ends_with("_duty") { duty.to_owned() } else { what };
            by(entry, &format!("{} ({})", person.name, person.role.as_str()), &what)
        }
        Ok(Some(Entity::Guest(guest))) => by(entry, &guest.name, &happened(&entry.kind, "guest_")),
        Ok(Some(Entity::Call(call))) => {
            let parties = format!("{} calls {}", call.caller.name, call.callee.name);
            format!("{parties} · {}", happened(&entry.kind, "call_"))
        }
        Ok(Some(Entity::Site(site))) => by(entry, &site.name, &happened(&entry.kind, "site_")),
        Ok(None) | Err(_) => told(entry),
    };
    format!("{}  {}", clock(entry.meta.ts, zone), plain(&words))
}

fn request_changed(model: &Model, entry: &Entry, request: &Request) -> String {
    let what = match (entry.kind.as_str(), &request.state) {
        ("request_noted", _) => match request.notes.last() {
            Some(note) => format!("{} wrote: {}", note.by.name, note.text),
            None => "noted".to_owned(),
        },
        ("request_voice_added", _) => voice(request),
        ("request_released", _) => format!("given back by {}", entry.meta.actor.name),
        ("request_handed_over", RequestState::Accepted(now)) => {
            format!("handed over to {} by {}", now.accepted_by.name, entry.meta.actor.name)
        }
        (_, state) => so_far(request, state),
    };
    with_guest(model, request, &what)
}

/// Formats the line of a request that exists at the start, with the time when it was raised.
pub(super) fn current(model: &Model, request: &Request, zone: &TimeZone) -> String {
    let words = with_guest(model, request, &so_far(request, &request.state));
    format!("{}  {}", clock(request.created_at, zone), plain(&words))
}

fn with_guest(model: &Model, request: &Request, what: &str) -> String {
    let mut line = format!("{} · {} · {what}", request.place_name, kind(request));
    if let Some(guest) = request.guest_id.and_then(|id| model.guest(id)) {
        line = format!("{line}   ({guest})");
    }
    line
}

/// Describes a request's state, with the time it took.
fn so_far(request: &Request, state: &RequestState) -> String {
    let after = |at: Timestamp| span(at.duration_since(request.created_at));
    match state {
        RequestState::Open => asked(request),
        RequestState::Accepted(now) => format!("accepted by {} after {}", now.accepted_by.name, after(now.accepted_at)),
        RequestState::Completed { completed_by, completed_at, .. } => {
            format!("completed by {} after {}", completed_by.name, after(*completed_at))
        }
        RequestState::Cancelled { cancelled_by, cancelled_at, cancel_reason, .. } => {
            let why = cancel_reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("cancelled by {} after {}{why}", cancelled_by.name, after(*cancelled_at))
        }
    }
}

/// Describes how a request was raised.
pub(super) fn asked(request: &Request) -> String {
    let text = request.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    match (&request.created_by, request.press_count) {
        (Some(by), 0) => format!("asked for by {}{text}", by.name),
        (_, 0 | 1) => format!("pressed{text}"),
        (_, times) => format!("pressed {times}×{text}"),
    }
}

/// Describes a request's kind, with the priority where the kind doesn't imply it.
pub(super) fn kind(request: &Request) -> String {
    let (words, usual) = match request.kind {
        Kind::Call => ("Call".to_owned(), Priority::Normal),
        Kind::Urgent => ("Urgent".to_owned(), Priority::High),
        Kind::Voice => ("Voice".to_owned(), Priority::Normal),
        Kind::Emergency => ("EMERGENCY".to_owned(), Priority::Emergency),
        Kind::Service => {
            let service = request.service.as_deref().unwrap_or("service").replace('_', " ");
            let mut letters = service.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            (first + letters.as_str(), request.priority)
        }
    };
    let unusual = request.priority != usual;
    if unusual { format!("{words} ({})", request.priority.as_str()) } else { words }
}

fn voice(request: &Request) -> String {
    let Some(voice) = &request.voice else {
        return "spoke".to_owned();
    };
    let seconds = voice.duration_ms.map(|millis| format!(" for {} s", millis.div_ceil(1000))).unwrap_or_default();
    let said = voice.transcript.as_ref().map(|said| format!(": “{said}”")).unwrap_or_default();
    format!("spoke{seconds}{said}")
}

fn button_changed(model: &Model, entry: &Entry, button: &Button) -> String {
    let place = button.place_id.and_then(|id| model.place(id));
    let name = match (place, &button.name) {
        (Some(place), Some(name)) => format!("Button {} ({place}, {name})", button.device),
        (Some(place), None) => format!("Button {} ({place})", button.device),
        (None, _) => format!("Button {}", button.device),
    };
    let health = &button.health;
    match entry.kind.as_str() {
        "button_found" => format!("{name} · new, waits to be assigned to a place"),
        "button_pressed" => format!("{name} · pressed, and rings nowhere"),
        "button_assigned" | "button_created" | "button_retired" | "button_credentials_set" => {
            by(entry, &name, &happened(&entry.kind, "button_"))
        }
        other => {
            let battery = health.battery_percent.map(|percent| format!("battery {percent} %"));
            let signal = health.rssi_dbm.map(|dbm| format!("signal {dbm} dBm"));
            let facts: Vec<_> = [battery, signal].into_iter().flatten().collect();
            let facts = if facts.is_empty() { String::new() } else { format!(" · {}", facts.join(", ")) };
            format!("{name} · {}{facts}", happened(other, "button_"))
        }
    }
}

/// Formats an entry that carries no entity, such as a sign-in or a refusal.
fn told(entry: &Entry) -> String {
    let text = |field: &str| entry.payload.get(field).and_then(serde_json::Value::as_str);
    let who = text("name").unwrap_or(&entry.meta.actor.name);
    let on = text("device").map(|device| format!(" on {device}")).unwrap_or_default();
    let what = entry.kind.strip_prefix("person_").unwrap_or(&entry.kind).replace('_', " ");
    format!("{who} · {what}{on}")
}

fn by(entry: &Entry, what: &str, happened: &str) -> String {
    format!("{what} · {happened} by {}", entry.meta.actor.name)
}

/// Converts `person_created` to `created`.
fn happened(kind: &str, entity: &str) -> String {
    kind.strip_prefix(entity).unwrap_or(kind).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use crewbell_shared::button::{ButtonState, Health};
    use crewbell_shared::guest::Guest;
    use crewbell_shared::ids::{ButtonId, GuestId, NoteId, PersonId};
    use crewbell_shared::person::PersonRef;
    use crewbell_shared::place::{Place, PlaceKind};
    use crewbell_shared::request::{Acceptance, Note, Voice};
    use serde_json::json;
    use uuid::Uuid;

    use super::super::props::{self, at, open_request};
    use super::*;

    fn siri() -> PersonRef {
        PersonRef { id: PersonId(Uuid::from_u128(1)), name: "Siri".into() }
    }

    fn model() -> Model {
        let mut model = Model::default();
        let guest = Guest { id: GuestId(Uuid::from_u128(9)), name: "Mrs Hartmann".into(), notes: String::new() };
        let place = Place {
            id: open_request().place_id,
            parent_id: None,
            name: "Cabin 5".into(),
            kind: PlaceKind::Cabin,
            position: 5,
            do_not_disturb: true,
        };
        model.put(guest.into());
        model.put(place.into());
        model
    }

    fn line(kind: &str, entity: impl Into<Entity>) -> String {
        entry(&model(), &props::entry(1, kind, entity), &TimeZone::UTC)
    }

    fn accepted() -> Request {
        let acceptance = Acceptance { accepted_by: siri(), accepted_at: at(42) };
        Request { state: RequestState::Accepted(acceptance), ..open_request() }
    }

    #[test]
    fn a_request_reads_as_a_story() {
        let guest_id = Some(GuestId(Uuid::from_u128(9)));
        let pressed = Request { press_count: 2, guest_id, ..open_request() };
        assert_eq!(line("request_pressed_again", pressed), "12:02:11  Cabin 5 · Call · pressed 2×   (Mrs Hartmann)");
        assert_eq!(line("request_accepted", accepted()), "12:02:11  Cabin 5 · Call · accepted by Siri after 0:42");
        assert_eq!(line("request_handed_over", accepted()), "12:02:11  Cabin 5 · Call · handed over to Siri by Dana");
        assert_eq!(line("request_released", open_request()), "12:02:11  Cabin 5 · Call · given back by Dana");
        let acceptance = Acceptance { accepted_by: siri(), accepted_at: at(42) };
        let state = RequestState::Completed { acceptance, completed_by: siri(), completed_at: at(725) };
        let done = Request { state, ..open_request() };
        assert_eq!(line("request_completed", done), "12:02:11  Cabin 5 · Call · completed by Siri after 12:05");
        let state = RequestState::Cancelled {
            acceptance: None,
            cancelled_by: siri(),
            cancelled_at: at(9),
            cancel_reason: Some("by mistake".into()),
        };
        let gone = Request { state, ..open_request() };
        assert_eq!(
            line("request_cancelled", gone),
            "12:02:11  Cabin 5 · Call · cancelled by Siri after 0:09: by mistake"
        );
    }

    #[test]
    fn what_was_asked_for_and_said_stands_in_the_line() {
        let created = Request {
            created_by: Some(siri()),
            press_count: 0,
            text: Some("two towels".into()),
            kind: Kind::Service,
            service: Some("bring_drinks".into()),
            ..open_request()
        };
        assert_eq!(
            line("request_created", created),
            "12:02:11  Cabin 5 · Bring drinks · asked for by Siri: two towels"
        );
        let note = Note { id: NoteId(Uuid::nil()), by: siri(), at: at(3), text: "no ice\u{1b}[2J".into() };
        let noted = Request { notes: vec![note], ..open_request() };
        assert_eq!(line("request_noted", noted), "12:02:11  Cabin 5 · Call · Siri wrote: no ice·[2J");
        let voice = Voice { duration_ms: Some(3200), transcript: Some("Tea".into()), ..Voice::default() };
        let spoken = Request { kind: Kind::Voice, voice: Some(voice), ..open_request() };
        assert_eq!(line("request_voice_added", spoken), "12:02:11  Cabin 5 · Voice · spoke for 4 s: “Tea”");
    }

    #[test]
    fn a_priority_is_told_where_the_sort_doesn_t_tell_it() {
        assert_eq!(kind(&Request { priority: Priority::High, ..open_request() }), "Call (high)");
        assert_eq!(kind(&Request { kind: Kind::Urgent, priority: Priority::High, ..open_request() }), "Urgent");
        let emergency = Request { kind: Kind::Emergency, priority: Priority::Emergency, ..open_request() };
        assert_eq!(kind(&emergency), "EMERGENCY");
    }

    #[test]
    fn a_button_that_nobody_assigned_says_so() {
        let button = Button {
            id: ButtonId(Uuid::from_u128(3)),
            device: "esp-77".into(),
            name: None,
            state: ButtonState::New,
            place_id: None,
            has_credentials: false,
            health: Health { battery_percent: Some(12), ..Health::default() },
        };
        let found = line("button_found", button.clone());
        assert_eq!(found, "12:02:11  Button esp-77 · new, waits to be assigned to a place");
        let place_id = Some(open_request().place_id);
        let assigned = Button { place_id, name: Some("bath".into()), ..button };
        assert_eq!(
            line("button_assigned", assigned.clone()),
            "12:02:11  Button esp-77 (Cabin 5, bath) · assigned by Dana"
        );
        assert_eq!(line("button_heard", assigned), "12:02:11  Button esp-77 (Cabin 5, bath) · heard · battery 12 %");
    }

    #[test]
    fn entries_of_other_sorts_are_told_too() {
        let signed_in = props::said(1, "person_signed_in", json!({ "name": "Sam", "device": "tablet 2" }));
        assert_eq!(entry(&model(), &signed_in, &TimeZone::UTC), "12:02:11  Sam · signed in on tablet 2");
        let unknown = props::said(1, "moon_rose", json!({}));
        assert_eq!(entry(&model(), &unknown, &TimeZone::UTC), "12:02:11  Dana · moon rose");
    }
}
