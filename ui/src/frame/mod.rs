//! The frame around every page: navigation, connection state, banners, calls.
//!
//! - `ways` navigation: the rail on tablets and desktops, the bar at the bottom on phones
//! - `top` the page's title, the connection state, duty, silencing
//! - `banners` conditions that a person must know about: no sound, full storage, notices
//! - `ring` incoming calls; `line` the call on this device, `talk` its push to talk
//! - `scanner` ignores input of barcode scanners outside text fields
//! - `settling` ignores taps while the page shifts
//! - `bottom` overlays that don't move the page: the stale-data strip, refusals, errors

mod banners;
mod bottom;
mod line;
mod link;
mod nav;
mod ring;
mod scanner;
mod talk;
mod tap_guard;
mod top;

use leptos::prelude::*;

use crate::components::Calm;
use crate::locales::words;
use crate::pages;
use crate::state::state;

use banners::News;

pub use banners::Notices;
pub use bottom::ConnectionBanner;
pub use link::link;
pub use nav::MORE;

/// The frame with the current page.
#[component]
pub fn Frame() -> impl IntoView {
    let state = state();
    let page = Memo::new(move |_| state.route.get().page);
    let ready = Memo::new(move |_| state.me().is_some());
    // Until the person's entity is loaded their rights are unknown, and no page is barred.
    let barred = Memo::new(move |_| ready.get() && !state.may_see(page.get()));
    // `barred` is a memo, so that other changes such as going off duty don't replace the page under a finger.
    let contents = move || {
        // `page` is read first because `barred` depends on it. With `reactive_graph` 0.2, a reader of a memo may miss
        // its change after reading another memo that depends on it: if that read triggers the update, the reader isn't
        // notified, and the other memo's unchanged result hides the change.
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
    // A banner, which moves the page, waits until no finger is on it.
    let calm = Calm::new();
    let news = calm.keep(Memo::new(move |_| banners::news(state)));
    let above =
        Memo::new(move |_| (line::rows(state), news.with(|news| news.iter().map(News::name).collect::<Vec<_>>())));
    let settling = tap_guard::settling(above);
    view! {
        <div class="frame">
            <a class="skip" href="#main" on:click=|event| {
                event.prevent_default();
                crate::bridge::page::focus("main");
            }>{words().frame.to_content}</a>
            <nav::Ways/>
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
