//! The outbox page: waiting and refused commands, each as a sentence with its actions.
//!
//! - `sorted` the groups: refused, waiting, sent, left by another person
//! - `item` one command; `case` the current state of its subject

mod case;
mod item;
mod sorted;

use crewbell_core::screen::{Ask, OutboxItem};
use leptos::prelude::*;

pub use self::sorted::unsent;

use self::sorted::OutboxGroup;
use crate::components::{Button, ButtonStyle, Calm, Empty, IconName, ListHeader};
use crate::locales::{fill, words};
use crate::pages::Info;
use crate::state::state;

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.outbox.title, icon: IconName::Outbox, right: None };

/// The outbox page.
#[component]
pub fn Outbox() -> impl IntoView {
    let state = state();
    let w = &words().outbox;
    let me = Memo::new(move |_| state.my_id());
    let calm = Calm::new();
    let all = calm.keep(Memo::new(move |_| state.outbox.get()));
    let of = move |place: OutboxGroup| {
        Memo::new(move |_| {
            let me = me.get();
            let is_there = |item: &&OutboxItem| OutboxGroup::of(item, me) == place;
            all.with(|outbox| outbox.iter().filter(is_there).cloned().collect::<Vec<_>>())
        })
    };
    let is_empty = Memo::new(move |_| all.with(Vec::is_empty));
    let there = Memo::new(move |_| state.status.with(|status| status.link.is_there()));
    let waiting_text = Signal::derive(move || if there.get() { w.intro_live } else { w.intro }.to_owned());
    view! {
        <div class="outbox" on:pointerdown=move |_| calm.pressed()>
            <Show when=move || !is_empty.get()
                fallback=|| view! { <Empty icon=IconName::Check title=words().outbox.empty text=words().outbox.empty_text/> }>
                <Part title=w.refused text=w.refused_text.to_owned() items=of(OutboxGroup::Refused) calm/>
                <Part title=w.waiting text=waiting_text items=of(OutboxGroup::Waiting) calm/>
                <Part title=w.done text=String::new() items=of(OutboxGroup::Done) calm/>
                <Part title=w.others text=w.others_text.to_owned() items=of(OutboxGroup::Others) calm/>
                <SaveAll/>
            </Show>
        </div>
    }
}

/// The items under one heading; renders nothing if there are none.
#[component]
fn Part(
    title: &'static str,
    #[prop(into)] text: Signal<String>,
    items: Memo<Vec<OutboxItem>>,
    calm: Calm,
) -> impl IntoView {
    let count = Memo::new(move |_| items.with(Vec::len).to_string());
    view! {
        <Show when=move || items.with(|items| !items.is_empty())>
            <section class="outbox-part">
                <ListHeader title count/>
                <p class="hint">{text}</p>
                <ol class="outbox-items">
                    <For each=move || items.get() key=item::key let:item><item::Item item calm/></For>
                </ol>
            </section>
        </Show>
    }
}

/// The button that saves the outbox as a file, for another device or a person.
#[component]
fn SaveAll() -> impl IntoView {
    let state = state();
    let w = &words().outbox;
    let saved = RwSignal::new(None::<String>);
    let save = move || {
        state.ask_and(Ask::SaveOutbox, move |path: String| {
            saved.try_set(Some(fill(words().outbox.saved, &[("path", &path)])));
        });
    };
    view! {
        <section class="outbox-save">
            <Button label=w.save_all icon=IconName::Download look=ButtonStyle::Quiet on_press=save/>
            <p class="hint">{w.save_hint}</p>
            <p class="saved" role="status">{saved}</p>
        </section>
    }
}
