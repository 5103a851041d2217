//! Navigation between pages: a rail at the side, or a bar at the bottom with the remaining pages under "More".

use crewbell_shared::request::RequestState;
use leptos::prelude::*;

use crate::components::Icon;
use crate::locales::words;
use crate::pages::info;
use crate::route::{Page, Route};
use crate::state::{AppState, state};

/// The pages in the bottom bar of a phone.
const FIRST: [Page; 5] = [Page::Requests, Page::Activity, Page::Calls, Page::People, Page::More];

/// The pages under "More".
pub const MORE: [Page; 5] = [Page::Buttons, Page::Guests, Page::Places, Page::Outbox, Page::Settings];

/// The pages in the rail, in order.
const RAIL: [Page; 9] = [
    Page::Requests,
    Page::Activity,
    Page::Calls,
    Page::People,
    Page::Buttons,
    Page::Guests,
    Page::Places,
    Page::Outbox,
    Page::Settings,
];

/// The navigation. Rail and bar are both rendered; the style sheet shows the one that fits.
#[component]
pub fn Ways() -> impl IntoView {
    let state = state();
    let ways = move |pages: &'static [Page]| {
        let pages = pages.iter().copied().filter(move |page| state.may_see(*page));
        pages.map(|page| view! { <Way page/> }).collect_view()
    };
    view! {
        <nav class="rail" aria-label=words().frame.navigation>
            <b class="site">{move || state.site_name()}</b>
            {move || ways(&RAIL)}
        </nav>
        <nav class="tabs" aria-label=words().frame.navigation>{move || ways(&FIRST)}</nav>
    }
}

/// The link to a page, with a badge for the number of waiting items.
#[component]
fn Way(page: Page) -> impl IntoView {
    let state = state();
    let info = info(page);
    let here = Memo::new(move |_| {
        let at = state.route.get().page;
        at == page || (page == Page::More && MORE.contains(&at)) || (page == Page::Requests && at == Page::NewRequest)
    });
    let count = Memo::new(move |_| count(state, page));
    let said = move || match page {
        Page::Requests => words().frame.open_count.say(count.get()),
        Page::Calls => words().calls.missed_count.say(count.get()),
        Page::Outbox
        | Page::More
        | Page::NewRequest
        | Page::Activity
        | Page::People
        | Page::Buttons
        | Page::Guests
        | Page::Places
        | Page::Settings => words().frame.waiting_count.say(count.get()),
    };
    view! {
        <a class="way" href=Route::to(page).address() aria-current=move || here.get().then_some("page")>
            <span class="way-icon">
                <Icon of=info.icon/>
                <Show when=move || { count.get() > 0 }>
                    <span class="badge" aria-hidden="true">{count}</span>
                    <span class="for-ears">{said}</span>
                </Show>
            </span>
            <span>{(info.title)(words())}</span>
        </a>
    }
}

/// The number of items that wait on a page.
fn count(state: AppState, page: Page) -> usize {
    let outbox = || state.status.with(|status| (status.waiting + status.refused) as usize);
    match page {
        Page::Requests => state.requests.list(|item| (item.entity.state == RequestState::Open).then_some(())).len(),
        Page::Calls => state.missed(),
        Page::Outbox | Page::More => outbox(),
        Page::NewRequest
        | Page::Activity
        | Page::People
        | Page::Buttons
        | Page::Guests
        | Page::Places
        | Page::Settings => 0,
    }
}
