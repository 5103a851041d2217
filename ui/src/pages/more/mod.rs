//! The pages that have no room in the bar at the bottom of a phone.

use leptos::prelude::*;

use crate::components::{Picture, Row};
use crate::frame::MORE;
use crate::locales::words;
use crate::pages::{Info, info};
use crate::route::{Route, go};
use crate::state::state;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.frame.more, icon: Picture::More, right: None };

/// The other pages, in a list.
#[component]
pub fn More() -> impl IntoView {
    let state = state();
    let rows = move || {
        let pages = MORE.into_iter().filter(|page| state.may_see(*page));
        pages
            .map(|page| {
                let info = info(page);
                view! { <Row title=(info.title)(words()) icon=info.icon on_press=move || go(Route::to(page))/> }
            })
            .collect_view()
    };
    view! { <div class="rows">{rows}</div> }
}
