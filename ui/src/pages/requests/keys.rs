//! Keyboard shortcuts on the board: arrows, Alt+A accept, Alt+C complete, Alt+N new, F1 help. Ctrl+F, the search, works
//! on every page.

use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use leptos::ev;
use leptos::prelude::*;

use super::acts::may;
use super::board::Board;
use crate::bridge::page;
use crate::components::Sheet;
use crate::locales::words;
use crate::route::{Page, Route, go, show};
use crate::state::AppState;

/// The action of a shortcut.
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

/// Maps a key, alone or with Alt, to its action. No printable key has an action without Alt: barcode scanners type such
/// keys and would accept requests.
fn wish(key: &str, code: &str, alt: bool) -> Option<Wish> {
    if alt {
        return match letter(key, code)? {
            'a' => Some(Wish::Accept),
            'c' => Some(Wish::Complete),
            'n' => Some(Wish::New),
            _ => None,
        };
    }
    match key {
        "ArrowDown" => Some(Wish::Next),
        "ArrowUp" => Some(Wish::Previous),
        "F1" => Some(Wish::Help),
        "Escape" => Some(Wish::Leave),
        _ => None,
    }
}

/// The letter on a key that is pressed with Alt. On a Mac that types another character or a dead key; then the letter
/// comes from the position of the key.
fn letter(key: &str, code: &str) -> Option<char> {
    let mut letters = key.chars();
    let written = letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none());
    let letter = written.or_else(|| code.strip_prefix("Key")?.chars().next())?;
    Some(letter.to_ascii_lowercase())
}

/// Listens to the keyboard while the board is shown.
pub fn listen(state: AppState, board: Memo<Board>, help: RwSignal<bool>) {
    let handle = window_event_listener(ev::keydown, move |event| {
        // Ctrl and Alt together type characters on many keyboards.
        let other_modifier = event.ctrl_key() || event.meta_key();
        if other_modifier || page::is_typing() || page::has_sheet() {
            return;
        }
        let Some(wish) = wish(&event.key(), &event.code(), event.alt_key()) else { return };
        event.prevent_default();
        if !event.repeat() || matches!(wish, Wish::Next | Wish::Previous) {
            act(state, board, help, wish);
        }
    });
    on_cleanup(move || handle.remove());
}

fn act(state: AppState, board: Memo<Board>, help: RwSignal<bool>, wish: Wish) {
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
            if let Some(request) = request.filter(|item| may(state, &item.entity).accept) {
                state.act(Verb::Request(RequestVerb::Accept { request_id: request.entity.id }));
            }
        }
        Wish::Complete => {
            let request = chosen.and_then(|id| state.requests.peek(id));
            if let Some(request) = request.filter(|item| may(state, &item.entity).complete) {
                state.act(Verb::Request(RequestVerb::Complete { request_id: request.entity.id }));
            }
        }
        Wish::New => go(Route::to(Page::NewRequest)),
        Wish::Help => help.set(true),
        Wish::Leave => show(Route::to(Page::Requests)),
    }
}

/// The list of shortcuts.
#[component]
pub fn Help(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let w = &words().requests;
    let keys = [
        ("↑ ↓", w.key_arrows),
        ("Alt A", w.key_accept),
        ("Alt C", w.key_complete),
        ("Ctrl F", w.key_search),
        ("Alt N", w.key_new),
        ("F1", w.key_help),
        ("Esc", w.key_escape),
    ];
    let lines = keys.into_iter().map(|(key, does)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div> });
    view! { <Sheet title=w.keys on_close><dl class="keys">{lines.collect_view()}</dl></Sheet> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_that_a_scanner_types_asks_for_anything_alone() {
        for sign in (' '..='~').map(String::from).chain(["Enter", "Tab", "å", "ß"].map(String::from)) {
            assert_eq!(wish(&sign, "KeyA", false), None, "{sign:?}");
        }
    }

    #[test]
    fn letters_with_alt_are_known_in_either_case_and_on_a_mac() {
        for (key, code) in [("a", "KeyA"), ("A", "KeyA"), ("a", "KeyQ"), ("å", "KeyA"), ("Dead", "KeyA"), ("Å", "KeyA")]
        {
            assert_eq!(wish(key, code, true), Some(Wish::Accept), "{key} {code}");
        }
        assert_eq!(wish("ç", "KeyC", true), Some(Wish::Complete));
        assert_eq!(wish("Dead", "KeyN", true), Some(Wish::New));
        for (key, code) in [("F4", "F4"), ("ArrowDown", "ArrowDown"), ("Enter", "Enter"), ("x", "KeyX"), ("", "")] {
            assert_eq!(wish(key, code, true), None, "{key}");
        }
    }
}
