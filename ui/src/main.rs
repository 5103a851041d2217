//! The UI of Crewbell: a client-side Leptos app, mounted into the page that the Tauri shell shows.
//!
//! | module | contents |
//! |---|---|
//! | `app`, `frame/` | the root component; the frame around every page: navigation, connection state, banners |
//! | `pages/` | one folder per page; its `mod.rs` says how to add one |
//! | `components/` | reusable components that pages are made of |
//! | `state/` | the store: reactive client state, fed only by the core |
//! | `locales/` | all texts, in every language |
//! | `style/` | plain CSS; the build bundles it into one style sheet |
//! | `route` | routes: the current page and the entity that it is about |
//! | `bridge/` | access to the host environment: the Tauri shell and browser APIs; nothing else knows them |
//!
//! `cargo xtask ui` builds it for the web view. The host build serves checks and tests only.
//!
//! To build a page:
//!
//! - *Read*: `let state = state();`. `state.requests.get(id)` subscribes to one entity, `state.people.list(…)` to the
//!   whole table. Put lists into a `Memo`, so that only a list that changed renders again, and show each with
//!   `<For each key>` and its row with `table.row(id)`: then one changed entity re-renders one row. `state.now` ticks
//!   every second: read it in a `Memo` whose result seldom changes, or use `<Age>`. A list that can be long shows its
//!   first hundred, and a button.
//! - *Ask*: `state.act(Verb::…)`, with `new_id()` from the bridge where the verb creates something. Don't update the
//!   view yourself: the core emits the effect at once, and the frame shows errors and refusals. A page that shows
//!   errors itself uses `state.ask_or`. In callbacks that run late use `try_set` and the like on values that the page
//!   created.
//! - *Pending*: `item.pending` means that a change is not sent yet. Cards and rows get the class `pending`, and say so
//!   in words (`Row` does).
//! - *Rights*: `state.may(Right::…)` hides actions that the rules would refuse; a page's own right stands in its
//!   `INFO`.
//! - *Texts*: every text comes from `words().<page>`: see `locales`. Names of people, guests and places are shown
//!   unchanged. A crew member within a line is a `<Who>`; within a sentence `Sentence::fill` inserts the person and
//!   `<Said>` renders it. So their presence is shown everywhere.
//! - *Calm*: controls in a list that changes by itself are kept in place by `Calm`.
//! - *Look*: each page has a style sheet of its own, `style/<page>.css`, imported by `style/main.css`. Use only
//!   colours, lengths and durations of `tokens.css`, no inline styles (the content security policy forbids them), and
//!   sizes in `rem`, so that text scales. Widths: a phone is narrower than 700 px, a desktop is 1200 px or wider. Touch
//!   targets are `var(--touch)` high or more.
//! - *Accessibility*: buttons are `<Button>`s, fields have labels, sheets are `<Sheet>`s; every state is shown by word
//!   or shape.

mod app;
mod bridge;
mod components;
#[cfg(test)]
#[path = "style/contrast.rs"]
mod contrast;
mod frame;
mod locales;
mod pages;
mod route;
mod state;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
