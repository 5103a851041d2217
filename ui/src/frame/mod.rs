//! What stands around every page: the ways to the others, the connection, what is out of the ordinary.
//!
//! - `ways` the rail on tablets and desktops, the bar at the bottom on phones
//! - `top` the page's title, the connection, duty, silence
//! - `banners` what a person must know: a deaf device, a full one, notices
//! - `ring` somebody calls; `line` the call on this device, `talk` its push to talk
//! - `scanner` what a barcode scanner types presses nothing
//! - `settling` what came or went above the page moved it
//! - `bottom` what floats over the page without moving it: the stale strip, refusals, trouble

mod banners;
mod bottom;
mod line;
mod link;
mod ring;
mod scanner;
mod settling;
mod talk;
mod top;
mod ways;

use leptos::prelude::*;

use crate::components::Calm;
use crate::locales::words;
use crate::pages;
use crate::state::state;

use banners::News;

pub use banners::Notices;
pub use bottom::Trouble;
pub use link::link;
pub use ways::MORE;

/// The page, with everything around it.
#[component]
pub fn Frame() -> impl IntoView {
    let state = state();
    let page = Memo::new(move |_| state.route.get().page);
    let ready = Memo::new(move |_| state.me().is_some());
    // Whoever isn't known yet may see nothing but the board, which shows what there is.
    let barred = Memo::new(move |_| ready.get() && !state.may_see(page.get()));
    // Not when the person merely goes off duty: the page would be another one under their finger.
    let contents = move || {
        // First, for `barred` follows it: whoever asks a memo after another that asks it may miss its news, when they are the
        // one who made it look (reactive_graph 0.2 doesn't tell them, and the other's unchanged answer is taken for its own).
        let page = page.get();
        if barred.get() {
            view! { <p class="empty">{words().common.not_allowed}</p> }.into_any()
        } else {
            pages::contents(page)
        }
    };
    let find = window_event_listener(leptos::ev::keydown, |event| {
        let with_control = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
        if with_control && event.key().eq_ignore_ascii_case("f") && !crate::bridge::page::has_sheet() {
            event.prevent_default();
            crate::bridge::page::focus("search");
        }
    });
    on_cleanup(move || find.remove());
    scanner::ignore_scanners();
    // A banner waits until no finger is on the page that it would move.
    let calm = Calm::new();
    let news = calm.keep(Memo::new(move |_| banners::news(state)));
    let above =
        Memo::new(move |_| (line::rows(state), news.with(|news| news.iter().map(News::name).collect::<Vec<_>>())));
    let settling = settling::settling(above);
    view! {
        <div class="frame">
            <a class="skip" href="#main" on:click=|event| {
                event.prevent_default();
                crate::bridge::page::focus("main");
            }>{words().frame.to_content}</a>
            <ways::Ways/>
            <top::Top/>
            <line::Line/>
            <main id="main" class="main" class:settling=settling tabindex="-1" on:pointerdown=move |_| calm.pressed()
                on:pointermove=move |_| calm.touched() on:scroll=move |_| calm.touched()>
                <banners::Banners news on_put_away=move || calm.let_go()/>
                {contents}
            </main>
            <bottom::Bottom/>
        </div>
        <pages::requests::Sheets/>
        <ring::Ring/>
    }
}
