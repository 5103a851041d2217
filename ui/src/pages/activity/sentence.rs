//! Log lines as sentences: who did what to which entity.

use crewbell_core::store::Line;
use crewbell_shared::protocol::EntityType;

use crate::locales::{Sentence, Text, log_text, names, words};
use crate::pages::calls::parties;
use crate::state::AppState;

/// A log line as a sentence. An unrecognised kind, from a newer server, is shown as words.
pub fn sentence(line: &Line, subject: Option<Sentence>) -> Sentence {
    let who = Sentence::from(&line.actor);
    let what = subject.unwrap_or_else(|| words().verbs.unknown_thing.to_owned().into());
    let happened = log_text::happened(&line.kind).into();
    let pattern = pattern(line).unwrap_or(words().activity.other);
    Sentence::fill(pattern, &[("who", &who), ("what", &what), ("happened", &happened)])
}

fn pattern(line: &Line) -> Option<Text> {
    let w = &words().activity;
    let by_themselves = line.actor.id.is_some_and(|id| line.about.is_some_and(|about| about.id == id.0));
    match line.kind.as_str() {
        "request_created" if line.actor.id.is_none() => Some(w.request_created_by_guest),
        "person_on_duty" if !by_themselves => Some(w.person_sent_on_duty),
        "person_off_duty" if !by_themselves => Some(w.person_sent_off_duty),
        kind => log_text::sentence(kind),
    }
}

/// The entity that a line is about, as far as this device knows it.
pub fn subject(state: AppState, line: &Line) -> Option<Sentence> {
    let id = line.about?.id;
    let named = match line.about?.entity_type {
        EntityType::Request => {
            let request = state.requests.peek(id.into())?.entity;
            Some(format!("{} · {}", request.place_name, names::wish(&request)))
        }
        EntityType::Person => return Some((&state.people.peek(id.into())?.entity.as_ref()).into()),
        EntityType::Place => state.places.peek(id.into()).map(|item| item.entity.name),
        EntityType::Guest => state.guests.peek(id.into()).map(|item| item.entity.name),
        EntityType::Stay => {
            let stay = state.stays.peek(id.into())?.entity;
            let guest = state.guests.peek(stay.guest_id)?.entity.name;
            let place = state.places.peek(stay.place_id).map(|item| item.entity.name);
            Some(place.map_or(guest.clone(), |place| format!("{guest} · {place}")))
        }
        EntityType::Button => state.buttons.peek(id.into()).map(|item| item.entity.name.unwrap_or(item.entity.device)),
        EntityType::Site => Some(state.site_name()),
        EntityType::Call => return Some(parties(&state.calls.peek(id.into())?.entity)),
    };
    named.map(Sentence::from)
}

#[cfg(test)]
mod tests {
    use crewbell_core::store::EntityKey;
    use crewbell_shared::person::Person;
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::{at, by, sam, siri};

    use super::*;
    use crate::locales::{Language, speak};

    fn line(kind: &str, actor: ActorRef, about: &Person) -> Line {
        let about = Some(EntityKey { entity_type: EntityType::Person, id: about.id.0 });
        Line { seq: 1, at: at(0), category: "people".into(), kind: kind.into(), actor, about, changed: Vec::new() }
    }

    fn said(kind: &str, actor: &Person, about: &Person) -> String {
        sentence(&line(kind, ActorRef::from(&by(actor)), about), Some((&about.as_ref()).into())).to_string()
    }

    #[test]
    fn who_is_sent_on_duty_did_not_go_by_themselves() {
        assert_eq!(said("person_on_duty", &siri(), &siri()), "Siri is on duty");
        assert_eq!(said("person_on_duty", &siri(), &sam()), "Siri put Sam on duty");
    }

    #[test]
    fn a_request_made_by_a_button_is_a_guests() {
        let button = ActorRef { id: None, name: "Cabin 5".into() };
        let said = sentence(&line("request_created", button, &sam()), Some("Cabin 5 · Call".to_owned().into()));
        assert_eq!(said.to_string(), "A guest calls: Cabin 5 · Call");
    }

    #[test]
    fn what_nobody_remembers_and_what_is_newer_is_said_all_the_same() {
        let by_siri = || ActorRef::from(&by(&siri()));
        assert_eq!(
            sentence(&line("request_accepted", by_siri(), &sam()), None).to_string(),
            "Siri accepted something that is gone"
        );
        let newer = sentence(&line("room_cleaned", by_siri(), &sam()), Some("101".to_owned().into()));
        assert_eq!(newer.to_string(), "Siri: Room cleaned · 101");
    }

    #[test]
    fn every_language_makes_its_own_sentence() {
        speak(Language::German);
        assert_eq!(said("person_changed", &siri(), &sam()), "Siri hat den Eintrag von Sam geändert");
        speak(Language::Croatian);
        assert_eq!(said("person_signed_in", &siri(), &siri()), "Prijava: Siri");
    }
}
