//! The guest list, grouped by deck, with a search in names, places and notes.

use crewbell_shared::person::Right;
use leptos::prelude::*;

use super::by_deck::{Group, Heading, House, Line};
use super::{Open, chosen, over, way_to};
use crate::components::{Button, ButtonStyle, Calm, Empty, Icon, IconName, ListHeader, Row, Search};
use crate::locales::{fill, time, words};
use crate::route::go;
use crate::state::{AppState, state};

/// The number of guests shown at first, and added with each "more".
const AT_ONCE: usize = 100;

/// Collects guests, stays and places, and subscribes to them.
pub fn house(state: AppState) -> House {
    House {
        guests: state.guests.list(|item| Some(item.entity.clone())),
        stays: state.stays.list(|item| Some(item.entity.clone())),
        places: state.places.list(|item| Some(item.entity.clone())),
    }
}

/// The text of a heading.
pub fn heading(heading: &Heading) -> String {
    match heading {
        Heading::Deck(name) => name.clone(),
        Heading::Elsewhere => words().guests.elsewhere.to_owned(),
        Heading::WithoutPlace => words().guests.without_place.to_owned(),
    }
}

/// The guest list.
#[component]
pub fn List() -> impl IntoView {
    let state = state();
    let over = over();
    let w = &words().guests;
    let sought = RwSignal::new(String::new());
    let most = RwSignal::new(AT_ONCE);
    let calm = Calm::new();
    let all = calm.keep(Memo::new(move |_| sought.with(|sought| house(state).groups(sought))));
    let count = move || all.with(|all| all.iter().map(|group| group.lines.len()).sum::<usize>());
    let shown = Memo::new(move |_| all.with(|all| first(all, most.get())));
    let may_edit = Memo::new(move |_| state.may(Right::EditGuests));
    let empty = move || {
        if sought.with(|sought| !sought.trim().is_empty()) {
            let (title, text) = (words().common.nothing_found, words().common.nothing_found_hint);
            return view! { <Empty icon=IconName::Search title text/> }.into_any();
        }
        let text = if may_edit.get() { w.empty_text } else { w.empty_look };
        view! { <Empty icon=IconName::Guest title=w.empty text/> }.into_any()
    };
    view! {
        <div class="guests-tools">
            <Search value=sought name=w.search/>
            <Show when=move || may_edit.get()>
                <Button label=w.add icon=IconName::Plus on_press=move || over.open(Open::Add)/>
            </Show>
        </div>
        <Show when=move || { count() > 0 } fallback=empty>
            <div class="guests-groups" on:pointerdown=move |_| calm.pressed()>
                <For each=move || shown.get() key=|group| group.heading.clone() let:group>
                    <OneGroup of=group.heading shown/>
                </For>
            </div>
            <Show when=move || { count() > most.get() }>
                <Button label=words().common.show_more look=ButtonStyle::Quiet
                    on_press=move || most.update(|most| *most += AT_ONCE)/>
            </Show>
        </Show>
    }
}

/// The first guests, up to a maximum, under their headings.
fn first(groups: &[Group], most: usize) -> Vec<Group> {
    let mut left = most;
    let mut some = Vec::new();
    for group in groups {
        let lines: Vec<Line> = group.lines.iter().take(left).copied().collect();
        left -= lines.len();
        if !lines.is_empty() {
            some.push(Group { heading: group.heading.clone(), lines });
        }
    }
    some
}

/// The guests under one heading.
#[component]
fn OneGroup(of: Heading, shown: Memo<Vec<Group>>) -> impl IntoView {
    let title = heading(&of);
    let lines = Memo::new(move |_| {
        shown.with(|shown| {
            let group = shown.iter().find(|group| group.heading == of);
            group.map(|group| group.lines.clone()).unwrap_or_default()
        })
    });
    let count = Memo::new(move |_| words().guests.staying.say(lines.with(Vec::len)));
    view! {
        <div class="guests-group">
            <ListHeader title count/>
            <div class="rows">
                <For each=move || lines.get() key=|line| *line let:line><OneLine line/></For>
            </div>
        </div>
    }
}

/// The row of a guest: name, location, and a mark if there are notes.
#[component]
fn OneLine(line: Line) -> impl IntoView {
    let state = state();
    let id = line.guest_id;
    let guest = Memo::new(move |_| state.guests.get(id));
    let stay = Memo::new(move |_| line.stay_id.and_then(|id| state.stays.get(id)));
    let name =
        Memo::new(move |_| guest.with(|item| item.as_ref().map(|item| item.entity.name.clone())).unwrap_or_default());
    let has_notes =
        Memo::new(move |_| guest.with(|item| item.as_ref().is_some_and(|item| !item.entity.notes.is_empty())));
    let pending = Memo::new(move |_| {
        let of_guest = guest.with(|item| item.as_ref().is_some_and(|item| item.pending));
        of_guest || stay.with(|item| item.as_ref().is_some_and(|item| item.pending))
    });
    let text = Memo::new(move |_| {
        let Some(stay) = stay.get().map(|item| item.entity) else { return words().guests.never_stayed.to_owned() };
        let (place, now) = (state.place_name(stay.place_id), state.now.get());
        let at = |at| time::moment(at, now);
        match stay.checked_out_at {
            None => format!("{place} · {}", fill(words().guests.since, &[("time", &at(stay.checked_in_at))])),
            Some(left) => fill(words().guests.left, &[("place", &place), ("time", &at(left))]),
        }
    });
    let here = chosen(state);
    view! {
        <div class="guests-row" aria-current=move || (here.get() == Some(id)).then_some("true")>
            <Row title=name text icon=IconName::Guest pending on_press=move || go(way_to(id))>
                <Show when=move || has_notes.get()>
                    <span class="has-notes" title=words().guests.has_notes>
                        <Icon of=IconName::Note/>
                        <span class="for-ears">{words().guests.has_notes}</span>
                    </span>
                </Show>
            </Row>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::id;

    use super::*;

    #[test]
    fn a_long_list_shows_its_first_and_says_nothing_of_empty_groups() {
        let line = |number| Line { guest_id: id(number), stay_id: None, stays: false };
        let group = |heading, numbers: [u128; 2]| Group { heading, lines: numbers.map(line).to_vec() };
        let groups = [group(Heading::Elsewhere, [1, 2]), group(Heading::WithoutPlace, [3, 4])];
        let lengths = |most| first(&groups, most).iter().map(|group| group.lines.len()).collect::<Vec<_>>();
        assert_eq!([lengths(1), lengths(2), lengths(3), lengths(9)], [vec![1], vec![2], vec![2, 1], vec![2, 2]]);
    }
}
