//! A line of the log as a sentence: who did what to what.

use crewbell_core::store::Line;
use crewbell_shared::protocol::EntityType;

use crate::locales::{fill, happenings, names, words};
use crate::state::State;

/// What happened, in a sentence. A kind that a newer server tells of is read as words.
pub fn sentence(line: &Line, subject: Option<&str>) -> String {
    let what = subject.unwrap_or(words().verbs.unknown_thing);
    let names = [("who", line.actor.name.as_str()), ("what", what)];
    if let Some(pattern) = pattern(line) {
        return fill(pattern, &names);
    }
    let happened = happenings::happened(&line.kind);
    fill(words().activity.other, &[names[0], names[1], ("happened", &happened)])
}

fn pattern(line: &Line) -> Option<&'static str> {
    let w = &words().activity;
    let by_person = line.actor.id.is_some();
    let by_themselves = line.actor.id.is_some_and(|id| line.about.is_some_and(|about| about.id == id.0));
    Some(match line.kind.as_str() {
        "request_created" if by_person => w.request_created,
        "request_created" => w.request_created_by_guest,
        "request_pressed_again" => w.request_pressed_again,
        "request_voice_added" => w.request_voice_added,
        "request_accepted" => w.request_accepted,
        "request_released" => w.request_released,
        "request_handed_over" => w.request_handed_over,
        "request_completed" => w.request_completed,
        "request_cancelled" => w.request_cancelled,
        "request_noted" => w.request_noted,
        "button_found" => w.button_found,
        "button_pressed" => w.button_pressed,
        "button_connected" => w.button_connected,
        "button_lost" => w.button_lost,
        "button_seen" => w.button_seen,
        "button_assigned" => w.button_assigned,
        "button_created" => w.button_created,
        "button_retired" => w.button_retired,
        "button_credentials_set" => w.button_credentials_set,
        "do_not_disturb_set" => w.do_not_disturb_set,
        "do_not_disturb_cleared" => w.do_not_disturb_cleared,
        "place_created" => w.place_created,
        "place_changed" => w.place_changed,
        "guest_created" => w.guest_created,
        "guest_changed" => w.guest_changed,
        "guest_checked_in" => w.guest_checked_in,
        "guest_checked_out" => w.guest_checked_out,
        "person_created" => w.person_created,
        "person_changed" => w.person_changed,
        "person_on_duty" if by_themselves => w.person_on_duty,
        "person_on_duty" => w.person_sent_on_duty,
        "person_off_duty" if by_themselves => w.person_off_duty,
        "person_off_duty" => w.person_sent_off_duty,
        "person_signed_in" => w.person_signed_in,
        "person_signed_out" => w.person_signed_out,
        "person_secret_set" => w.person_secret_set,
        "settings_changed" => w.settings_changed,
        "site_created" => w.site_created,
        "join_code_set" => w.join_code_set,
        "activity_exported" => w.activity_exported,
        _ => return None,
    })
}

/// What a line is about, as far as this device knows it now.
pub fn subject(state: State, line: &Line) -> Option<String> {
    let id = line.about?.id;
    match line.about?.entity_type {
        EntityType::Request => {
            let request = state.requests.peek(id.into())?.noun;
            Some(format!("{} · {}", request.place_name, names::wish(&request)))
        }
        EntityType::Person => state.people.peek(id.into()).map(|item| item.noun.name),
        EntityType::Place => state.places.peek(id.into()).map(|item| item.noun.name),
        EntityType::Guest => state.guests.peek(id.into()).map(|item| item.noun.name),
        EntityType::Stay => {
            let stay = state.stays.peek(id.into())?.noun;
            let guest = state.guests.peek(stay.guest_id)?.noun.name;
            let place = state.places.peek(stay.place_id).map(|item| item.noun.name);
            Some(place.map_or(guest.clone(), |place| format!("{guest} · {place}")))
        }
        EntityType::Button => state.buttons.peek(id.into()).map(|item| item.noun.name.unwrap_or(item.noun.device)),
        EntityType::Site => Some(state.site_name()),
        EntityType::Call => {
            let call = state.calls.peek(id.into())?.noun;
            Some(format!("{} → {}", call.caller.name, call.callee.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use crewbell_core::store::Key;
    use crewbell_shared::person::Person;
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::{at, by, sam, siri};

    use super::*;
    use crate::locales::{Language, speak};

    fn line(kind: &str, actor: ActorRef, about: &Person) -> Line {
        let about = Some(Key { entity_type: EntityType::Person, id: about.id.0 });
        Line { seq: 1, at: at(0), category: "people".into(), kind: kind.into(), actor, about, changed: Vec::new() }
    }

    fn said(kind: &str, actor: &Person, about: &Person) -> String {
        sentence(&line(kind, ActorRef::from(&by(actor)), about), Some(&about.name))
    }

    #[test]
    fn who_is_sent_on_duty_did_not_go_by_themselves() {
        assert_eq!(said("person_on_duty", &siri(), &siri()), "Siri is on duty");
        assert_eq!(said("person_on_duty", &siri(), &sam()), "Siri put Sam on duty");
    }

    #[test]
    fn a_request_made_by_a_button_is_a_guests() {
        let button = ActorRef { id: None, name: "Cabin 5".into() };
        let said = sentence(&line("request_created", button, &sam()), Some("Cabin 5 · Call"));
        assert_eq!(said, "A guest calls: Cabin 5 · Call");
    }

    #[test]
    fn what_nobody_remembers_and_what_is_newer_is_said_all_the_same() {
        let by_siri = || ActorRef::from(&by(&siri()));
        assert_eq!(
            sentence(&line("request_accepted", by_siri(), &sam()), None),
            "Siri accepted something that is gone"
        );
        assert_eq!(sentence(&line("room_cleaned", by_siri(), &sam()), Some("101")), "Siri: Room cleaned · 101");
    }

    #[test]
    fn every_language_makes_its_own_sentence() {
        speak(Language::German);
        assert_eq!(said("person_changed", &siri(), &sam()), "Siri hat den Eintrag von Sam geändert");
        speak(Language::Croatian);
        assert_eq!(said("person_signed_in", &siri(), &siri()), "Prijava: Siri");
    }
}
