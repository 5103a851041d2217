//! Highlights the button that sends at this moment: pressing a button finds its row.

use std::time::Duration;

use crewbell_core::store::Line;
use crewbell_shared::ids::{ButtonId, RequestId};
use crewbell_shared::protocol::EntityType;
use leptos::prelude::*;
use uuid::Uuid;

use crate::state::AppState;

/// How long a row stays highlighted: long enough to look up from the button in the hand.
const LIT: Duration = Duration::from_secs(8);

/// The buttons that have just sent a message. It is a handle and lives as long as the page.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// The highlighted buttons, with the number of the log line that caused it.
    lit: RwSignal<Vec<(ButtonId, u64)>>,
    /// The button that sent last.
    pub last: RwSignal<Option<ButtonId>>,
}

impl Heard {
    /// Follows log lines from now on.
    pub fn follow(state: AppState) -> Self {
        let heard = Self { lit: RwSignal::default(), last: RwSignal::default() };
        let seen = StoredValue::new(state.lines.with_untracked(|lines| lines.back().map_or(0, |line| line.seq)));
        Effect::new(move || {
            state.lines.with(|lines| {
                let new = lines.iter().rev().take_while(|line| line.seq > seen.get_value());
                let spoke: Vec<(ButtonId, u64)> =
                    new.filter_map(|line| Some((speaker(line, &state)?, line.seq))).collect();
                seen.set_value(lines.back().map_or(0, |line| line.seq));
                if !spoke.is_empty() {
                    heard.light(spoke);
                }
            });
        });
        heard
    }

    /// Whether a button has just sent a message.
    pub fn is_lit(self, id: ButtonId) -> bool {
        self.lit.with(|lit| lit.iter().any(|(button, _)| *button == id))
    }

    fn light(self, spoke: Vec<(ButtonId, u64)>) {
        self.last.set(spoke.first().map(|(id, _)| *id));
        let last = spoke.iter().map(|(_, seq)| *seq).max().unwrap_or_default();
        self.lit.update(|lit| lit.extend(spoke));
        // The page may be closed by then.
        let over = move || {
            self.lit.try_update(|lit| lit.retain(|(_, seq)| *seq > last));
        };
        set_timeout(over, LIT);
    }
}

/// Lookups that find the button behind a log line.
pub trait Known {
    /// The button that a request came from.
    fn button_of(&self, request: RequestId) -> Option<ButtonId>;
    /// The only button in a place; `None` if there are several.
    fn only_button_in(&self, place: Uuid) -> Option<ButtonId>;
}

impl Known for AppState {
    fn button_of(&self, request: RequestId) -> Option<ButtonId> {
        self.requests.peek(request)?.entity.button_id
    }

    fn only_button_in(&self, place: Uuid) -> Option<ButtonId> {
        let there = untrack(|| {
            self.buttons.list(|item| (item.entity.place_id.map(|id| id.0) == Some(place)).then_some(item.entity.id))
        });
        if let [one] = there[..] { Some(one) } else { None }
    }
}

/// The button whose press or other message a log line reports.
pub fn speaker(line: &Line, known: &impl Known) -> Option<ButtonId> {
    let about = line.about?;
    let pressed = line.actor.id.is_none();
    match (about.entity_type, line.kind.as_str()) {
        (EntityType::Button, "button_found" | "button_pressed" | "button_connected" | "button_seen") => {
            Some(about.id.into())
        }
        (EntityType::Request, "request_created" | "request_pressed_again" | "request_voice_added") if pressed => {
            known.button_of(about.id.into())
        }
        (EntityType::Place, "do_not_disturb_set" | "do_not_disturb_cleared") if pressed => {
            known.only_button_in(about.id)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crewbell_core::store::EntityKey;
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::{at, button, by, id, siri};

    use super::*;

    struct Cabin;

    impl Known for Cabin {
        fn button_of(&self, request: RequestId) -> Option<ButtonId> {
            (request == id(50)).then_some(button().id)
        }

        fn only_button_in(&self, place: Uuid) -> Option<ButtonId> {
            (place == Uuid::from_u128(5)).then_some(button().id)
        }
    }

    fn line(entity_type: EntityType, number: u128, kind: &str) -> Line {
        Line {
            seq: 1,
            at: at(0),
            category: entity_type.category().into(),
            kind: kind.into(),
            actor: ActorRef { id: None, name: "Cabin 5".into() },
            about: Some(EntityKey { entity_type, id: Uuid::from_u128(number) }),
            changed: Vec::new(),
        }
    }

    #[test]
    fn a_press_lights_its_button_whatever_came_of_it() {
        let lines = [
            line(EntityType::Button, 40, "button_found"),
            line(EntityType::Button, 40, "button_pressed"),
            line(EntityType::Request, 50, "request_created"),
            line(EntityType::Request, 50, "request_pressed_again"),
            line(EntityType::Place, 5, "do_not_disturb_set"),
        ];
        for line in lines {
            assert_eq!(speaker(&line, &Cabin), Some(button().id), "{}", line.kind);
        }
    }

    #[test]
    fn what_a_person_does_and_what_falls_silent_lights_nothing() {
        let by_siri = |line: Line| Line { actor: ActorRef::from(&by(&siri())), ..line };
        let lines = [
            by_siri(line(EntityType::Request, 50, "request_created")),
            by_siri(line(EntityType::Place, 5, "do_not_disturb_set")),
            line(EntityType::Request, 50, "request_accepted"),
            line(EntityType::Button, 40, "button_lost"),
            line(EntityType::Button, 40, "button_assigned"),
        ];
        for line in lines {
            assert_eq!(speaker(&line, &Cabin), None, "{}", line.kind);
        }
    }
}
