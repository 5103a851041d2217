//! The pages, one folder each. What the frame needs to know of a page is its [`Info`].
//!
//! To add one: its line in `route::Page`, a folder with an `INFO` and a component here, its arms below, its words in
//! `locales/words/`, its style sheet in `style/`.

pub mod activity;
pub mod buttons;
pub mod calls;
pub mod guests;
pub mod more;
pub mod new_request;
pub mod outbox;
pub mod people;
pub mod places;
pub mod request;
pub mod requests;
pub mod settings;
pub mod sign_in;

use crewbell_shared::person::Right;
use leptos::prelude::*;

use crate::components::Picture;
use crate::locales::Words;
use crate::route::Page;

/// What the frame needs to know of a page.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Its name.
    pub title: fn(&Words) -> &'static str,
    /// Its icon.
    pub icon: Picture,
    /// The right without which it isn't shown.
    pub right: Option<Right>,
}

/// A page's info.
pub fn info(page: Page) -> Info {
    match page {
        Page::Requests => requests::INFO,
        Page::NewRequest => new_request::INFO,
        Page::Activity => activity::INFO,
        Page::Calls => calls::INFO,
        Page::People => people::INFO,
        Page::Buttons => buttons::INFO,
        Page::Guests => guests::INFO,
        Page::Places => places::INFO,
        Page::Settings => settings::INFO,
        Page::Outbox => outbox::INFO,
        Page::More => more::INFO,
    }
}

/// A page's contents.
pub fn contents(page: Page) -> AnyView {
    match page {
        Page::Requests => view! { <requests::Requests/> }.into_any(),
        Page::NewRequest => view! { <new_request::NewRequest/> }.into_any(),
        Page::Activity => view! { <activity::Activity/> }.into_any(),
        Page::Calls => view! { <calls::Calls/> }.into_any(),
        Page::People => view! { <people::People/> }.into_any(),
        Page::Buttons => view! { <buttons::Buttons/> }.into_any(),
        Page::Guests => view! { <guests::Guests/> }.into_any(),
        Page::Places => view! { <places::Places/> }.into_any(),
        Page::Settings => view! { <settings::Settings/> }.into_any(),
        Page::Outbox => view! { <outbox::Outbox/> }.into_any(),
        Page::More => view! { <more::More/> }.into_any(),
    }
}
