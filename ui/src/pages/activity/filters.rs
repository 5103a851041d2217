//! The filters of the activity page, and matching log lines against them.

use crewbell_core::screen::ActivityQuery;
use crewbell_core::store::Line;
use jiff::Timestamp;
use leptos::prelude::*;

use crate::bridge::clock;
use crate::bridge::page;
use crate::components::{Button, ButtonStyle, Field, Icon, IconName, Search, Select};
use crate::locales::time::Local;
use crate::locales::{log_text, words};
use crate::state::state;

/// The filters, as in their form fields.
#[derive(Clone, Copy, Debug)]
pub struct Filters {
    text: RwSignal<String>,
    category: RwSignal<String>,
    person: RwSignal<String>,
    day: RwSignal<String>,
}

impl Filters {
    /// Creates empty filters, which match everything.
    pub fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self { text: empty(), category: empty(), person: empty(), day: empty() }
    }

    /// Converts the filters to a query for the core.
    pub fn query(self) -> ActivityQuery {
        let given = |field: RwSignal<String>| Some(field.get().trim().to_owned()).filter(|text| !text.is_empty());
        let day = given(self.day).and_then(|text| day(&text));
        ActivityQuery {
            text: given(self.text),
            category: given(self.category),
            person_id: given(self.person).and_then(|id| id.parse().ok()),
            from: day.map(clock::at_local),
            // The page's clock carries the 32nd over into the next month.
            to: day.map(|day| clock::at_local(Local { day: day.day + 1, ..day })),
            before: None,
        }
    }

    /// Whether any filter is set.
    pub fn any(self) -> bool {
        [self.text, self.category, self.person, self.day].iter().any(|field| field.with(|text| !text.is_empty()))
    }

    /// Clears all filters.
    pub fn clear(self) {
        for field in [self.text, self.category, self.person, self.day] {
            field.set(String::new());
        }
    }
}

/// Parses the value of a `date` input (`2026-11-21`) as the start of that day.
fn day(text: &str) -> Option<Local> {
    let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let sound = parts.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then_some(Local { year, month, day, hour: 0, minute: 0, second: 0 })
}

/// Whether a log line matches the query; `said` is its displayed sentence.
pub fn wants(query: &ActivityQuery, line: &Line, said: &str) -> bool {
    let after = |from: Timestamp| line.at >= from;
    let before = |to: Timestamp| line.at < to;
    query.category.as_ref().is_none_or(|category| *category == line.category)
        && query.person_id.is_none_or(|person| line.actor.id == Some(person))
        && query.from.is_none_or(after)
        && query.to.is_none_or(before)
        && query.text.as_ref().is_none_or(|text| said.to_lowercase().contains(&text.to_lowercase()))
}

/// The filter fields. On a phone all but the search are behind a button.
#[component]
pub fn FilterBar(
    /// The filters.
    filters: Filters,
    /// Contents at the end of the bar.
    children: Children,
) -> impl IntoView {
    let state = state();
    let w = &words().activity;
    let unfolded = RwSignal::new(false);
    let categories = std::iter::once((String::new(), w.everything.to_owned()))
        .chain(log_text::CATEGORIES.map(|name| (name.to_owned(), log_text::category(name))))
        .collect::<Vec<_>>();
    let people = Memo::new(move |_| {
        let mut people = state.people.list(|item| Some((item.entity.id.to_string(), item.entity.name.clone())));
        people.sort_by_key(|(_, name)| name.to_lowercase());
        people.insert(0, (String::new(), words().activity.everybody.to_owned()));
        people
    });
    let clear = move || {
        filters.clear();
        page::focus("search");
    };
    view! {
        <div class="log-bar" class:unfolded=unfolded>
            <Search value=filters.text name=w.search/>
            <button type="button" class="button icon-only log-unfold" title=w.category aria-label=w.filter
                aria-expanded=move || unfolded.get().to_string() on:click=move |_| unfolded.update(|is| *is = !*is)>
                <Icon of=IconName::Filter/>
            </button>
            <div class="log-filters">
                <Select label=w.category value=filters.category options=categories/>
                <Select label=w.person value=filters.person options=people/>
                <Field label=w.day value=filters.day kind="date"/>
            </div>
            <div class="acts">
                <Show when=move || filters.any()>
                    <Button label=words().activity.clear look=ButtonStyle::Quiet icon=IconName::Cross on_press=clear/>
                </Show>
                {children()}
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::{at, by, sam, siri};

    use super::*;

    fn accepted() -> Line {
        Line {
            seq: 7,
            at: at(0),
            category: "requests".into(),
            kind: "request_accepted".into(),
            actor: ActorRef::from(&by(&siri())),
            about: None,
            changed: Vec::new(),
        }
    }

    fn is_wanted(query: &ActivityQuery) -> bool {
        wants(query, &accepted(), "Siri accepted Cabin 5")
    }

    #[test]
    fn a_line_is_wanted_when_every_filter_lets_it_through() {
        let all = ActivityQuery::default();
        assert!(is_wanted(&all));
        assert!(is_wanted(&ActivityQuery { text: Some("cabin".into()), person_id: Some(siri().id), ..all.clone() }));
        assert!(!is_wanted(&ActivityQuery { person_id: Some(sam().id), ..all.clone() }));
        assert!(!is_wanted(&ActivityQuery { category: Some("buttons".into()), ..all.clone() }));
        assert!(!is_wanted(&ActivityQuery { text: Some("cabin 6".into()), ..all }));
    }

    #[test]
    fn a_day_ends_before_the_next_begins() {
        let during = |from, to| ActivityQuery { from: Some(at(from)), to: Some(at(to)), ..ActivityQuery::default() };
        assert!(is_wanted(&during(0, 1)));
        assert!(!is_wanted(&during(-1, 0)));
        assert!(!is_wanted(&during(1, 2)));
    }

    #[test]
    fn a_day_is_read_as_the_field_writes_it() {
        let read = day("2026-02-03").unwrap();
        assert_eq!((read.year, read.month, read.day, read.hour), (2026, 2, 3, 0));
        for wrong in ["", "2026", "2026-13-01", "2026-1-0", "x-1-1", "2026-1-1-1"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }
}
