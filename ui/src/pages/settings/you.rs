//! The signed-in person, and signing out with a warning about unsent commands.

use crewbell_core::screen::Ask;
use leptos::prelude::*;

use super::Part;
use crate::components::{Button, ButtonStyle, IconName, Sheet};
use crate::locales::{fill, names, words};
use crate::pages::outbox::unsent;
use crate::pages::people::Secret;
use crate::route::{Page, Route, go};
use crate::state::state;

/// The section about the signed-in person.
#[component]
pub fn You() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let asks = RwSignal::new(false);
    let changes = RwSignal::new(false);
    let who = Memo::new(move |_| {
        let me = state.me()?;
        let site = state.site_name();
        Some(fill(w.you_text, &[("who", &me.name), ("role", names::role(me.role)), ("site", &site)]))
    });
    view! {
        <Part title=w.you icon=IconName::Guest>
            <p><b>{who}</b></p>
            <p class="hint">{w.switch_text}</p>
            <div class="acts">
                <Button label=w.switch icon=IconName::People on_press=move || asks.set(true)/>
                <Button label=words().people.secret_mine icon=IconName::Key on_press=move || changes.set(true)/>
                <Button label=w.sign_out look=ButtonStyle::Quiet icon=IconName::Leave on_press=move || asks.set(true)/>
            </div>
            <Show when=move || changes.get()>
                <Sheet title=words().people.secret_mine.to_owned() on_close=move || changes.set(false)>
                    {untrack(|| state.my_id()).map(|id| view! { <Secret id/> })}
                </Sheet>
            </Show>
            <Show when=move || asks.get()><Leave on_close=move || asks.set(false)/></Show>
        </Part>
    }
}

/// The confirmation of signing out.
#[component]
fn Leave(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let lost = Memo::new(move |_| {
        let me = state.my_id();
        state.outbox.with(|outbox| unsent(outbox, me))
    });
    let name = state.session.with_untracked(|session| session.as_ref().map(|session| session.person.name.clone()));
    let title = fill(w.sign_out_title, &[("who", &name.unwrap_or_default())]);
    let sign_out = move || {
        on_close.run(());
        state.ask(Ask::SignOut { discard: lost.get_untracked() > 0 });
    };
    let look_at_it = move || {
        on_close.run(());
        go(Route::to(Page::Outbox));
    };
    let label = move || if lost.get() > 0 { w.sign_out_discard } else { w.sign_out }.to_owned();
    view! {
        <Sheet title on_close>
            <p>{w.sign_out_text}</p>
            <Show when=move || { lost.get() > 0 }>
                <p class="wrong" role="alert">{move || w.sign_out_unsent.say(lost.get())}</p>
                <Button label=w.see_unsent look=ButtonStyle::Go icon=IconName::Outbox on_press=look_at_it/>
            </Show>
            <div class="acts">
                <Button label=Signal::derive(label) look=ButtonStyle::Danger on_press=sign_out/>
                <Button label=words().common.cancel on_press=on_close/>
            </div>
        </Sheet>
    }
}
