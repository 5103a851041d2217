//! The keyboard on the board: arrows, A accept, C complete, N new, ? help. The slash, which searches, is every page's.

use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use leptos::ev;
use leptos::prelude::*;

use super::acts::may;
use super::board::Board;
use crate::bridge::page;
use crate::components::Sheet;
use crate::locales::words;
use crate::route::{Page, Route, go, show};
use crate::state::State;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Next,
    Previous,
    Accept,
    Complete,
    New,
    Help,
    Leave,
}

fn wish(key: &str) -> Option<Wish> {
    match key {
        "ArrowDown" | "j" => Some(Wish::Next),
        "ArrowUp" | "k" => Some(Wish::Previous),
        "a" | "A" => Some(Wish::Accept),
        "c" | "C" => Some(Wish::Complete),
        "n" | "N" => Some(Wish::New),
        "?" => Some(Wish::Help),
        "Escape" => Some(Wish::Leave),
        _ => None,
    }
}

/// Listens to the keyboard while the board is shown.
pub fn listen(state: State, board: Memo<Board>, help: RwSignal<bool>) {
    let handle = window_event_listener(ev::keydown, move |event| {
        if !page::is_free(&event) {
            return;
        }
        let Some(wish) = wish(&event.key()) else { return };
        event.prevent_default();
        act(state, board, help, wish);
    });
    on_cleanup(move || handle.remove());
}

fn act(state: State, board: Memo<Board>, help: RwSignal<bool>, wish: Wish) {
    let chosen = state.route.get_untracked().id.map(RequestId);
    let beside = |below| board.with_untracked(|board| board.beside(chosen, below));
    match wish {
        Wish::Next | Wish::Previous => {
            if let Some(id) = beside(wish == Wish::Next) {
                show(Route::about(Page::Requests, id.0));
                page::bring_into_view(&format!("card-{id}"));
            }
        }
        Wish::Accept => {
            let first = || board.with_untracked(|board| board.waiting.first().copied());
            let request = chosen.or_else(first).and_then(|id| state.requests.peek(id));
            if let Some(request) = request.filter(|item| may(state, &item.noun).accept) {
                state.act(Verb::AcceptRequest { request_id: request.noun.id });
            }
        }
        Wish::Complete => {
            let request = chosen.and_then(|id| state.requests.peek(id));
            if let Some(request) = request.filter(|item| may(state, &item.noun).complete) {
                state.act(Verb::CompleteRequest { request_id: request.noun.id });
            }
        }
        Wish::New => go(Route::to(Page::NewRequest)),
        Wish::Help => help.set(true),
        Wish::Leave => show(Route::to(Page::Requests)),
    }
}

/// What the keys do.
#[component]
pub fn Help(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let w = &words().requests;
    let keys = [
        ("↑ ↓", w.key_arrows),
        ("A", w.key_accept),
        ("C", w.key_complete),
        ("/", w.key_search),
        ("N", w.key_new),
        ("?", w.key_help),
        ("Esc", w.key_escape),
    ];
    let lines = keys.into_iter().map(|(key, does)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div> });
    view! { <Sheet title=w.keys on_close><dl class="keys">{lines.collect_view()}</dl></Sheet> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_work_with_and_without_shift_and_others_are_left_alone() {
        assert_eq!(wish("a"), wish("A"));
        assert_eq!(wish("c"), Some(Wish::Complete));
        assert_eq!(wish("Tab"), None);
        assert_eq!(wish("Enter"), None);
    }
}
