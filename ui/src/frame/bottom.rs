//! Overlays at the lower edge of the page, which don't move it: the stale-data strip, refusals, errors.

use std::time::Duration;

use crewbell_core::screen::{Ask, Link, Status};
use jiff::Timestamp;
use leptos::prelude::*;

use super::link::link;
use crate::components::{Button, ButtonStyle, Icon, IconButton, IconName};
use crate::locales::{command_text, fill, refusals, time, words};
use crate::route::{Page, Route, go};
use crate::state::state;

/// Time that the connection must be up before the strip disappears, so that an unstable connection causes no flicker.
const SETTLED: Duration = Duration::from_millis(300);

/// All overlays.
#[component]
pub fn Bottom() -> impl IntoView {
    view! {
        <div class="bottom">
            <ConnectionBanner/>
            <Refusals/>
            <Stale/>
        </div>
    }
}

/// The stale-data strip: "No connection · showing 14:02 · 3 changes waiting", or that the device is connecting. It
/// appears at once when the connection is lost.
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
    let text = Memo::new(move |_| state.status.with(|status| stale(status, |at| time::moment(at, state.now.get()))));
    let waits = Memo::new(move |_| state.status.with(|status| status.link == Link::Offline));
    view! {
        <div role="status">
            <Show when=move || shown.get()>
                <div class="strip wait">
                    {move || if waits.get() {
                        view! { <Icon of=IconName::CloudOff/> }
                    } else {
                        view! { <Icon of=IconName::Clock/> }
                    }}
                    <span>{text}</span>
                    <Show when=move || waits.get()>
                        <IconButton icon=IconName::Again name=words().frame.connect_now
                            on_press=move || state.ask(Ask::Connect)/>
                    </Show>
                </div>
            </Show>
        </div>
    }
}

/// The connection state, the age of the shown data, and the number of waiting changes.
fn stale(status: &Status, moment: impl Fn(Timestamp) -> String) -> String {
    let w = &words().frame;
    let how = match status.link {
        Link::Offline => w.no_connection,
        Link::SignedOut | Link::Connecting | Link::Fetching | Link::CatchingUp | Link::Live => link(status.link),
    };
    let of = match status.as_of {
        Some(at) => fill(w.stale, &[("time", &moment(at))]),
        None => w.stale_never.to_owned(),
    };
    let mut said = format!("{how} · {of}");
    if status.waiting > 0 {
        said.push_str(" · ");
        said.push_str(&w.stale_waiting.say(status.waiting));
    }
    said
}

/// The latest refusals; each stays until the person dismisses it.
#[component]
fn Refusals() -> impl IntoView {
    let state = state();
    let first = Memo::new(move |_| state.refusals.with(|all| all.first().cloned()));
    let put_away = move || state.refusals.update(|all| drop(all.drain(..1.min(all.len()))));
    let panel = move || {
        first.get().map(|(command_id, refusal)| {
            let item = state.outbox.with(|outbox| outbox.iter().find(|item| item.command_id == command_id).cloned());
            let what = item.as_ref().map(|item| command_text::doing(state, &item.verb));
            // Commands that make sense only at once aren't kept in the outbox.
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
                            <Button label=words().frame.to_outbox look=ButtonStyle::Quiet on_press=to_outbox/>
                        })}
                    </div>
                </section>
            }
        })
    };
    view! { {panel} }
}

/// The error of the last request that failed. The sign-in page shows it too, for example when the core can't be
/// reached.
#[component]
pub fn ConnectionBanner() -> impl IntoView {
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

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::at;

    use super::*;

    fn said(link: Link, as_of: Option<Timestamp>) -> String {
        stale(&Status { link, as_of, ..Status::default() }, |_| "14:02".to_owned())
    }

    #[test]
    fn the_strip_says_how_far_the_connection_is() {
        assert_eq!(said(Link::Offline, None), "No connection · nothing loaded yet");
        assert_eq!(said(Link::Connecting, None), "Connecting · nothing loaded yet");
        assert_eq!(said(Link::Fetching, None), "Loading the site · nothing loaded yet");
        for link in [Link::Connecting, Link::Fetching, Link::CatchingUp, Link::Live] {
            assert!(!said(link, Some(at(0))).contains("No connection"), "{link:?}");
        }
    }

    #[test]
    fn the_strip_says_how_old_what_is_shown_is_and_what_waits() {
        assert_eq!(said(Link::Offline, Some(at(0))), "No connection · showing 14:02");
        let status = Status { link: Link::Fetching, as_of: Some(at(0)), waiting: 3, ..Status::default() };
        let text = stale(&status, |_| "14:02".to_owned());
        assert_eq!(text, "Loading the site · showing 14:02 · 3 changes waiting");
    }
}
