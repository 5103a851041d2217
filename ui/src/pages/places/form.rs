//! The form that adds or changes a place.

use crewbell_shared::ids::PlaceId;
use crewbell_shared::names::is_same;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::place::{Place, PlaceKind};
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use crate::bridge::ids::new_id;
use crate::components::{Button, ButtonStyle, Field, IconName, Select, Sheet};
use crate::locales::{fill, names, refusals, words};
use crate::state::{AppState, state};

/// The form for a place.
#[component]
pub fn PlaceForm(
    /// The place; `None` for a new one.
    #[prop(optional, into)]
    place: Option<PlaceId>,
    /// The kind of a new place.
    #[prop(default = PlaceKind::Cabin)]
    kind: PlaceKind,
    /// Called when the form closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let known = place.and_then(|id| state.places.peek(id)).map(|item| item.entity);
    let title = match (&known, kind) {
        (Some(place), _) => fill(words().places.edit_of, &[("what", &place.name)]),
        (None, PlaceKind::Deck) => words().places.add_deck.to_owned(),
        (None, PlaceKind::Cabin | PlaceKind::Shared | PlaceKind::Crew) => words().places.add.to_owned(),
    };
    let draft = Draft::of(state, known.as_ref(), kind);
    let wrong = RwSignal::new(None::<Wrong>);
    let save = move || match untrack(|| draft.read(state, place)) {
        Ok(verb) => state.act_or(verb, move |answer| match answer {
            Ok(()) => on_close.run(()),
            Err(error) => drop(wrong.try_set(Some(Wrong::Name(refusals::ask_error(&error))))),
        }),
        Err(what) => wrong.set(Some(what)),
    };
    let kinds: Vec<(String, String)> =
        PlaceKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), names::place_kind(*kind).to_owned())).collect();
    let decks = move || {
        let none = (String::new(), words().places.no_deck.to_owned());
        let decks = state.decks().into_iter().map(|deck| (deck.id.to_string(), deck.name));
        std::iter::once(none).chain(decks).collect::<Vec<_>>()
    };
    let is_deck = move || draft.kind.with(|kind| kind == PlaceKind::Deck.as_str());
    let wrong_name = Signal::derive(move || wrong.get().and_then(Wrong::name));
    let wrong_position = Signal::derive(move || wrong.get().and_then(Wrong::position));
    view! {
        <Sheet title=title on_close>
            <Field label=words().common.name value=draft.name wrong=wrong_name/>
            <Select label=words().places.kind value=draft.kind options=kinds/>
            <Show when=move || !is_deck()>
                <Select label=words().places.deck value=draft.deck options=Signal::derive(decks)/>
            </Show>
            <Field label=words().places.position value=draft.position kind="number" keys="numeric"
                hint=words().places.position_hint wrong=wrong_position/>
            <div class="acts sheet-foot">
                <Button label=words().common.save look=ButtonStyle::Go icon=IconName::Check on_press=save/>
                <Button label=words().common.cancel on_press=move || on_close.run(())/>
            </div>
        </Sheet>
    }
}

/// A validation error, in words, for its field.
#[derive(Clone, Debug, PartialEq)]
enum Wrong {
    Name(String),
    Position(String),
}

impl Wrong {
    fn name(self) -> Option<String> {
        if let Self::Name(text) = self { Some(text) } else { None }
    }

    fn position(self) -> Option<String> {
        if let Self::Position(text) = self { Some(text) } else { None }
    }
}

/// The contents of the fields.
#[derive(Clone, Copy, Debug)]
struct Draft {
    name: RwSignal<String>,
    kind: RwSignal<String>,
    deck: RwSignal<String>,
    position: RwSignal<String>,
}

impl Draft {
    fn of(state: AppState, known: Option<&Place>, kind: PlaceKind) -> Self {
        let kind = known.map_or(kind, |place| place.kind);
        let last = || {
            let positions = untrack(|| state.places.list(|item| Some((item.entity.kind, item.entity.position))));
            next_position(&positions, kind)
        };
        let deck = known.and_then(|place| place.parent_id).map(|id| id.to_string());
        Self {
            name: RwSignal::new(known.map(|place| place.name.clone()).unwrap_or_default()),
            kind: RwSignal::new(kind.as_str().to_owned()),
            deck: RwSignal::new(deck.unwrap_or_default()),
            position: RwSignal::new(known.map_or_else(last, |place| place.position).to_string()),
        }
    }

    /// Validates the fields and builds the verb that saves the place.
    fn read(self, state: AppState, place: Option<PlaceId>) -> Result<Verb, Wrong> {
        let w = &words().places;
        let name = self.name.with(|name| name.trim().to_owned());
        if name.is_empty() {
            return Err(Wrong::Name(w.name_missing.to_owned()));
        }
        let same = |other: &Place| Some(other.id) != place && is_same(&other.name, &name);
        if state.places.find(|item| same(&item.entity).then_some(())).is_some() {
            return Err(Wrong::Name(w.name_taken.to_owned()));
        }
        let position = self.position.with(|text| text.trim().parse().ok());
        let Some(position) = position else { return Err(Wrong::Position(w.position_wrong.to_owned())) };
        let kind = self.kind.with(|text| kind_of(text));
        // A deck has no parent, whatever was chosen before it became one.
        let parent_id = self.deck.with(|id| id.parse().ok()).filter(|_| kind != PlaceKind::Deck);
        Ok(Verb::Place(PlaceVerb::Save { place_id: place.unwrap_or_else(new_id), parent_id, name, kind, position }))
    }
}

fn kind_of(text: &str) -> PlaceKind {
    PlaceKind::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or(PlaceKind::Cabin)
}

/// The position after the last sibling of a new place: among decks, or among other places.
fn next_position(all: &[(PlaceKind, i32)], kind: PlaceKind) -> i32 {
    let is_deck = |kind| kind == PlaceKind::Deck;
    let among = all.iter().filter(|(other, _)| is_deck(*other) == is_deck(kind));
    among.map(|(_, position)| *position).max().unwrap_or(0).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_place_comes_after_the_last_of_its_sort() {
        let all = [(PlaceKind::Deck, 3), (PlaceKind::Cabin, 12), (PlaceKind::Crew, 7)];
        assert_eq!(next_position(&all, PlaceKind::Deck), 4);
        assert_eq!(next_position(&all, PlaceKind::Shared), 13);
        assert_eq!(next_position(&[], PlaceKind::Deck), 1);
    }

    #[test]
    fn a_sort_reads_back_as_the_field_holds_it() {
        for kind in PlaceKind::ALL {
            assert_eq!(kind_of(kind.as_str()), kind);
        }
    }
}
