//! What floats over the page's lower edge and moves nothing: the stale strip, refusals, trouble.

use std::time::Duration;

use crewbell_core::screen::Ask;
use leptos::prelude::*;

use crate::components::{Button, Icon, IconButton, Look, Picture};
use crate::locales::{doings, fill, refusals, time, words};
use crate::route::{Page, Route, go};
use crate::state::{State, state};

/// How long the connection is there again before the strip goes: one that comes and goes makes no flicker.
const SETTLED: Duration = Duration::from_millis(300);

/// Everything that floats.
#[component]
pub fn Bottom() -> impl IntoView {
    view! {
        <div class="bottom">
            <Trouble/>
            <Refusals/>
            <Stale/>
        </div>
    }
}

/// "No connection. You see how it was at 14:02. 3 changes wait." At once when the connection is lost.
#[component]
fn Stale() -> impl IntoView {
    let state = state();
    let there = Memo::new(move |_| state.status.with(|status| status.link.is_there()));
    let shown = RwSignal::new(!there.get_untracked());
    Effect::new(move || {
        if there.get() {
            let settle = move || {
                shown.try_set(!there.try_get_untracked().unwrap_or(true));
            };
            set_timeout(settle, SETTLED);
        } else {
            shown.set(true);
        }
    });
    let text = Memo::new(move |_| stale(state));
    view! {
        <div role="status">
            <Show when=move || shown.get()>
                <div class="strip wait">
                    <Icon of=Picture::CloudOff/>
                    <span>{text}</span>
                    <IconButton icon=Picture::Again name=words().frame.connect_now on_press=move || state.ask(Ask::Connect)/>
                </div>
            </Show>
        </div>
    }
}

fn stale(state: State) -> String {
    let w = &words().frame;
    let (as_of, waiting) = state.status.with(|status| (status.as_of, status.waiting));
    let as_of = as_of.map(|at| fill(w.stale, &[("time", &time::moment(at, state.now.get()))]));
    let mut said = as_of.unwrap_or_else(|| w.stale_never.to_owned());
    if waiting > 0 {
        said.push_str(" · ");
        said.push_str(&w.stale_waiting.say(waiting));
    }
    said
}

/// What was refused just now: it stays until the person has read it.
#[component]
fn Refusals() -> impl IntoView {
    let state = state();
    let first = Memo::new(move |_| state.refusals.with(|all| all.first().cloned()));
    let put_away = move || state.refusals.update(|all| drop(all.drain(..1.min(all.len()))));
    let panel = move || {
        first.get().map(|(command_id, refusal)| {
            let item = state.outbox.with(|outbox| outbox.iter().find(|item| item.command_id == command_id).cloned());
            let what = item.as_ref().map(|item| doings::doing(state, &item.deed));
            // What was worth something only then is kept nowhere.
            let is_kept = item.is_some();
            let give_up = move || {
                put_away();
                if is_kept {
                    state.ask(Ask::Discard { command_id });
                }
            };
            let to_outbox = move || {
                put_away();
                go(Route::to(Page::Outbox));
            };
            view! {
                <section class="strip alarm panel" role="alert">
                    <div>
                        <b>{words().frame.refused_title}</b>
                        <span class="what">{what}</span>
                        <p>{refusals::refusal(&refusal)}</p>
                    </div>
                    <div class="acts">
                        <Button label=words().common.put_away on_press=give_up/>
                        {is_kept.then(|| view! {
                            <Button label=words().frame.to_outbox look=Look::Quiet on_press=to_outbox/>
                        })}
                    </div>
                </section>
            }
        })
    };
    view! { {panel} }
}

/// Why the last thing asked came to nothing. Also on the sign-in page: a core that can't be reached is told there.
#[component]
pub fn Trouble() -> impl IntoView {
    let state = state();
    let panel = move || {
        state.trouble.get().map(|error| {
            view! {
                <section class="strip alarm panel" role="alert">
                    <div>
                        <b>{words().frame.refused_title}</b>
                        <p>{refusals::ask_error(&error)}</p>
                        <small>{refusals::system_words(&error)}</small>
                    </div>
                    <div class="acts">
                        <Button label=words().common.put_away on_press=move || state.trouble.set(None)/>
                    </div>
                </section>
            }
        })
    };
    view! { {panel} }
}
