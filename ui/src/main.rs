//! The face of Crewbell: what the crew sees and touches. Leptos, client-side, mounted into the page that the shell shows.
//!
//! | room | what it holds |
//! |---|---|
//! | `app`, `frame/` | the root; what stands around every page: ways, connection, banners |
//! | `pages/` | one folder a page; its door says how to add one |
//! | `components/` | the parts that pages are made of |
//! | `state/` | what the face knows: one store, fed by the core and by nothing else |
//! | `locales/` | everything that is said, in every language |
//! | `style/` | plain CSS; the build puts it into one sheet |
//! | `route` | where in the app a person is |
//! | `bridge/` | the only place that knows what the page runs in |
//!
//! It is built for the web view by `cargo xtask ui`, and for the host only to be checked and tested.
//!
//! To build a page:
//!
//! - *Read*: `let state = state();`. `state.requests.get(id)` follows one noun, `state.people.list(…)` the whole table:
//!   put lists into a `Memo`, so that only a list that changed is shown anew, and show each with `<For each key>`, its row
//!   with `table.row(id)`: then one changed noun re-renders one row. `state.now` ticks every second: follow it in a
//!   `Memo` whose result seldom changes, or by `<Age>`. A list that can be long shows its first hundred, and a button.
//! - *Ask*: `state.act(Verb::…)`, with `new_id()` from the bridge where the verb makes something. Show nothing yourself:
//!   the core shows the effect at once, and errors and refusals are shown by the frame. A page that shows errors itself
//!   asks by `state.ask_or`. In what comes back late use `try_set` and the like on what the page made.
//! - *Pending*: `item.pending` is the core's word for "not sent yet". Cards and rows get the class `pending`, and say so in
//!   words (`Row` does).
//! - *Rights*: `state.may(Right::…)` hides what the rules would refuse; a page's own right stands in its `INFO`.
//! - *Say*: every text from `words().<page>`: see `locales`. Names of people, guests, places as they are.
//!   One of the crew within a line is a `<Who>`, within a sentence it is put there by `Sentence::fill` and shown by `<Said>`:
//!   so it is seen everywhere whether they are there.
//! - *Calm*: what is pressed in a list that changes by itself is kept where it is by `Calm`.
//! - *Look*: a style sheet of the page's own, `style/<page>.css`, imported by `style/main.css`. Only colours, lengths and
//!   durations of `tokens.css`; no inline styles (the page's policy forbids them); sizes in `rem`, so that text scales.
//!   Widths: a phone is narrower than 700 px, a desktop 1200 px or more. What is touched is `var(--touch)` high or more.
//! - *Reach*: buttons are `<Button>`s, fields have labels, sheets are `<Sheet>`s; every state is told by word or shape.

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
