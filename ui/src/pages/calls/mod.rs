//! The calls page: the signed-in person's calls, with partner, time and outcome; missed calls are marked.
//!
//! - `said` a call in words; `row` one call of the history
//! - `about` subjects of calls, and the calls about them; `choose` the choice of a person to call

mod about;
mod call_text;
mod choose;
mod row;

use crewbell_shared::ids::{CallId, PersonId};
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Calm, Choice, Empty, IconName, ListHeader};
use crate::locales::words;
use crate::pages::Info;
use crate::state::{AppState, state};

use row::CallRow;

pub use about::{CallAbout, CallsAbout, about, calls_about};
pub use call_text::{CallDirection, how, parties};
pub use choose::Choose;

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.calls.title, icon: IconName::Phone, right: None };

/// The number of calls shown at first, and added with each press.
const PAGE: usize = 100;

/// The call history, newest first.
#[component]
pub fn Calls() -> impl IntoView {
    let state = state();
    let w = &words().calls;
    let only = RwSignal::new("all".to_owned());
    let missed = Memo::new(move |_| only.with(|only| only == "missed"));
    let shown = RwSignal::new(PAGE);
    let me = Memo::new(move |_| state.my_id());
    let calm = Calm::new();
    let all = calm.keep(Memo::new(move |_| me.get().map(|me| history(state, me, missed.get())).unwrap_or_default()));
    let some = Memo::new(move |_| all.with(|all| all.iter().take(shown.get()).copied().collect::<Vec<_>>()));
    let more = Memo::new(move |_| all.with(Vec::len) > shown.get());
    let count = Memo::new(move |_| words().common.items.say(all.with(Vec::len)));
    let options = vec![("all".to_owned(), words().common.all.to_owned()), ("missed".to_owned(), w.missed.to_owned())];
    let rows = move |id: CallId| me.get_untracked().map(|me| view! { <CallRow id me/> });
    view! {
        <Choice label=w.show value=only on_choose=move |chosen| only.set(chosen) options/>
        <ListHeader title=w.title count/>
        <ol class="rows history" on:pointerdown=move |_| calm.pressed()><For each=move || some.get() key=|id| *id children=rows/></ol>
        <Show when=move || all.with(Vec::is_empty)>
            {move || if missed.get() {
                view! { <Empty icon=IconName::Check title=w.empty_missed/> }.into_any()
            } else {
                view! { <Empty icon=IconName::Phone title=w.empty text=w.empty_hint/> }.into_any()
            }}
        </Show>
        <Show when=move || more.get()>
            <Button label=words().common.show_more look=ButtonStyle::Quiet
                on_press=move || shown.update(|shown| *shown += PAGE)/>
        </Show>
    }
}

/// The calls of a person, newest first; all of them, or only the missed ones.
fn history(state: AppState, me: PersonId, missed: bool) -> Vec<CallId> {
    let mut calls = state.calls.list(|item| {
        let call = &item.entity;
        let wanted = call.is_party(me) && (!missed || CallDirection::of(call, me) == CallDirection::Missed);
        wanted.then_some((std::cmp::Reverse(call.call_time), call.id))
    });
    calls.sort_unstable();
    calls.into_iter().map(|(_, id)| id).collect()
}
