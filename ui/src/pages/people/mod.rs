//! The people page: the crew, with duty and presence.
//!
//! - `group` the groups; `row` one person; `sheet` adds or changes a person, and sets a PIN

mod group;
mod row;
mod sheet;

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Calm, Empty, IconName, ListHeader, Search, Switch};
use crate::locales::words;
use crate::pages::Info;
use crate::state::state;

use group::Groups;
use row::PersonRow;
use sheet::PersonSheet;
pub use sheet::Secret;

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.people.title, icon: IconName::People, right: None };

/// Number of people up to which no search field is shown.
const GLANCE: usize = 8;

/// The people page.
#[component]
pub fn People() -> impl IntoView {
    let state = state();
    let calm = Calm::new();
    let looked_for = RwSignal::new(String::new());
    // `None`: no sheet; `Some(None)`: the sheet for a new person.
    let sheet = RwSignal::new(None::<Option<PersonId>>);
    let many = Memo::new(move |_| state.people.list(|_| Some(())).len() > GLANCE);
    let groups = calm.keep(Memo::new(move |_| {
        let people = state.people.list(|item| Some(item.entity.clone()));
        looked_for.with(|words| Groups::of(people, words))
    }));
    let on_duty = Memo::new(move |_| groups.with(|groups| groups.on_duty.clone()));
    let off_duty = Memo::new(move |_| groups.with(|groups| groups.off_duty.clone()));
    let inactive = Memo::new(move |_| groups.with(|groups| groups.inactive.clone()));
    let edits = Memo::new(move |_| state.may(Right::EditPeople));
    let searching = Memo::new(move |_| looked_for.with(|words| !words.trim().is_empty()));
    let nobody = Memo::new(move |_| on_duty.with(Vec::is_empty) && !searching.get());
    let nothing = Memo::new(move |_| searching.get() && groups.with(|groups| *groups == Groups::default()));
    let edit = move |id: PersonId| sheet.set(Some(Some(id)));
    let close = move || sheet.set(None);
    view! {
        <MyDuty/>
        <MyBusy/>
        <div class="crew-bar">
            <Show when=move || many.get()><Search value=looked_for name=words().people.search/></Show>
            <Show when=move || edits.get()>
                <Button label=words().people.add icon=IconName::Plus on_press=move || sheet.set(Some(None))/>
            </Show>
        </div>
        <div class="crew-lists" on:pointerdown=move |_| calm.pressed()>
            <Show when=move || nothing.get()>
                <Empty icon=IconName::Search title=words().common.nothing_found/>
            </Show>
            <Group title=words().people.on_duty ids=on_duty on_edit=edit/>
            <Show when=move || nobody.get()>
                <Empty icon=IconName::BellOff title=words().people.nobody_on_duty text=words().people.nobody_on_duty_hint/>
            </Show>
            <Group title=words().people.off_duty ids=off_duty on_edit=edit/>
            <Show when=move || edits.get()>
                <Group title=words().people.inactive ids=inactive on_edit=edit/>
            </Show>
        </div>
        {move || sheet.get().map(|person| view! { <PersonSheet person on_close=close/> })}
    }
}

/// A group of the crew; renders nothing if it is empty.
#[component]
fn Group(
    /// The title.
    title: &'static str,
    /// The people.
    ids: Memo<Vec<PersonId>>,
    /// Called with a person to edit.
    #[prop(into)]
    on_edit: Callback<PersonId>,
) -> impl IntoView {
    let count = Memo::new(move |_| ids.with(Vec::len).to_string());
    view! {
        <Show when=move || ids.with(|ids| !ids.is_empty())>
            <section class="crew-group">
                <ListHeader title count/>
                <ul class="rows"><For each=move || ids.get() key=|id| *id let:id><PersonRow id on_edit/></For></ul>
            </section>
        </Show>
    }
}

/// A large switch for the person's own duty.
#[component]
fn MyDuty() -> impl IntoView {
    let state = state();
    let me = Memo::new(move |_| state.me().map(|me| (me.id, me.on_duty)));
    let on = Memo::new(move |_| me.get().is_some_and(|(_, on)| on));
    let pending =
        Memo::new(move |_| state.my_id().and_then(|id| state.people.get(id)).is_some_and(|item| item.pending));
    let press = move || {
        if let Some((person_id, on_duty)) = me.get_untracked() {
            state.act(Verb::Person(PersonVerb::SetDuty { person_id, on_duty: !on_duty }));
        }
    };
    let buttons = move || {
        let (label, look, icon) = if on.get() {
            (words().frame.go_off_duty, ButtonStyle::Plain, IconName::Leave)
        } else {
            (words().frame.go_on_duty, ButtonStyle::Go, IconName::Bell)
        };
        view! { <Button label look icon on_press=press/> }
    };
    view! {
        <section class="card my-duty" class:on=on class:pending=pending aria-label=words().people.my_duty>
            <div>
                <h2>{move || if on.get() { words().people.on_duty } else { words().people.off_duty }}</h2>
                <p>{move || if on.get() { words().people.my_on } else { words().people.my_off }}</p>
                <Show when=move || pending.get()><small class="pending-word">{words().common.pending}</small></Show>
            </div>
            {buttons}
        </section>
    }
}

/// A switch for whether the person doesn't want to be called.
#[component]
pub fn MyBusy() -> impl IntoView {
    let state = state();
    let busy = Memo::new(move |_| state.me().is_some_and(|me| me.busy));
    let set = move |busy| {
        if let Some(person_id) = state.my_id() {
            state.act(Verb::Person(PersonVerb::SetBusy { person_id, busy }));
        }
    };
    view! {
        <section class="card my-busy">
            <Switch label=words().calls.busy on=busy on_switch=set/>
            <p class="hint">{words().calls.busy_hint}</p>
        </section>
    }
}
