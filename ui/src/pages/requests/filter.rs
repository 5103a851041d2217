//! The board's filter, stored in the device's settings.

use crewbell_core::screen::settings::{BOARD_DECK as DECK, BOARD_KIND as KIND, BOARD_PERSON as PERSON};
use crewbell_shared::ids::{PersonId, PlaceId};
use crewbell_shared::person::Person;
use crewbell_shared::request::{Kind, Request, RequestState};
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, IconName, Select, Sheet};
use crate::locales::{names, words};
use crate::state::{AppState, Item, state};

/// The filter. Empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Matches requests on this deck.
    pub deck: Option<PlaceId>,
    /// Matches requests of this kind.
    pub kind: Option<Kind>,
    /// Matches requests that this person accepted or cancelled, and all open ones.
    pub person: Option<PersonId>,
}

impl Filter {
    /// Loads the filter from the device's settings.
    pub fn remembered(state: AppState) -> Self {
        let kind = state.setting(KIND);
        Self {
            deck: state.setting(DECK).and_then(|id| id.parse().ok()),
            kind: Kind::ALL.into_iter().find(|known| Some(known.as_str()) == kind.as_deref()),
            person: state.setting(PERSON).and_then(|id| id.parse().ok()),
        }
    }

    /// The number of filters that are set.
    pub fn count(&self) -> usize {
        usize::from(self.deck.is_some()) + usize::from(self.kind.is_some()) + usize::from(self.person.is_some())
    }

    /// Whether a request matches; `deck` is its deck.
    pub fn wants(&self, request: &Request, deck: Option<PlaceId>) -> bool {
        let held_by = match &request.state {
            RequestState::Open => None,
            RequestState::Accepted(now) | RequestState::Completed { acceptance: now, .. } => Some(now.accepted_by.id),
            RequestState::Cancelled { cancelled_by, .. } => Some(cancelled_by.id),
        };
        self.deck.is_none_or(|wanted| deck == Some(wanted))
            && self.kind.is_none_or(|wanted| request.kind == wanted)
            // An open request has no holder and concerns everybody.
            && self.person.is_none_or(|wanted| held_by.is_none_or(|holder| holder == wanted))
    }
}

/// Whether all words occur in the texts of a request, regardless of case.
pub fn has_words(words: &str, said: &[&str]) -> bool {
    let all = said.join(" ").to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| all.contains(word))
}

/// The button with the number of filters, and the sheet to set them.
#[component]
pub fn Filters() -> impl IntoView {
    let state = state();
    let open = RwSignal::new(false);
    let count = Memo::new(move |_| Filter::remembered(state).count());
    let label = Signal::derive(move || match count.get() {
        0 => words().requests.filter.to_owned(),
        some => words().requests.filters.say(some),
    });
    view! {
        <Button label icon=IconName::Filter on_press=move || open.set(true)/>
        <Show when=move || open.get()>
            <Choose on_close=move || open.set(false)/>
        </Show>
    }
}

#[component]
fn Choose(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().requests;
    let remembered = |name: &'static str| {
        let value = RwSignal::new(untrack(|| state.setting(name)).unwrap_or_default());
        Effect::watch(
            move || value.get(),
            move |value, _, _| state.set(name, Some(value.clone()).filter(|value| !value.is_empty())),
            false,
        );
        value
    };
    let all = || (String::new(), words().common.all.to_owned());
    let deck = remembered(DECK);
    let decks = untrack(|| state.decks()).into_iter().map(|deck| (deck.id.to_string(), deck.name));
    let decks: Vec<_> = std::iter::once(all()).chain(decks).collect();
    let kind = remembered(KIND);
    let kinds = Kind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), names::kind(kind).to_owned()));
    let kinds: Vec<_> = std::iter::once(all()).chain(kinds).collect();
    let person = remembered(PERSON);
    let active =
        |item: &Item<Person>| item.entity.active.then(|| (item.entity.id.to_string(), item.entity.name.clone()));
    let mut crew = untrack(|| state.people.list(active));
    crew.sort_by(|a, b| a.1.cmp(&b.1));
    let crew: Vec<_> = std::iter::once(all()).chain(crew).collect();
    let clear = move || [deck, kind, person].into_iter().for_each(|value| value.set(String::new()));
    view! {
        <Sheet title=w.filter on_close>
            <Select label=w.deck value=deck options=decks/>
            <Select label=w.kind value=kind options=kinds/>
            <Select label=w.person value=person options=crew/>
            <div class="acts">
                <Button label=words().common.ok look=ButtonStyle::Go on_press=on_close/>
                <Button label=w.clear_filters on_press=clear/>
            </div>
        </Sheet>
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::request::Acceptance;
    use crewbell_shared::testing::{at, cabin, deck, open_request, sam, siri};

    use super::*;

    #[test]
    fn an_empty_filter_wants_everything() {
        assert!(Filter::default().wants(&open_request(at(0)), None));
        assert_eq!(Filter::default().count(), 0);
    }

    #[test]
    fn a_deck_is_that_of_the_place() {
        let filter = Filter { deck: Some(deck().id), ..Filter::default() };
        assert!(filter.wants(&open_request(at(0)), Some(deck().id)));
        assert!(!filter.wants(&open_request(at(0)), Some(cabin().id)));
        assert!(!filter.wants(&open_request(at(0)), None));
    }

    #[test]
    fn what_nobody_has_is_shown_to_who_looks_for_a_person() {
        let filter = Filter { person: Some(siri().id), ..Filter::default() };
        assert!(filter.wants(&open_request(at(0)), None));
        let acceptance = Acceptance { accepted_by: sam().as_ref(), accepted_at: at(1) };
        let taken = Request { state: RequestState::Accepted(acceptance), ..open_request(at(0)) };
        assert!(!filter.wants(&taken, None));
    }

    #[test]
    fn all_words_must_be_there_in_any_order_and_case() {
        assert!(has_words("hart CAB", &["Cabin 2", "Mrs Hartmann"]));
        assert!(!has_words("hart deck", &["Cabin 2", "Mrs Hartmann"]));
        assert!(has_words("", &["Cabin 2"]));
    }
}
