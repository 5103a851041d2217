//! The pages, one folder each. [`Info`] describes a page to the frame.
//!
//! To add a page: add its line in `route::Page`, a folder with an `INFO` and a component here, its arms below, its
//! texts in `locales/words/`, and its style sheet in `style/`.

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

use crate::components::IconName;
use crate::locales::Words;
use crate::route::Page;

/// The description of a page for the frame.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// The title.
    pub title: fn(&Words) -> &'static str,
    /// The icon.
    pub icon: IconName,
    /// The right that a person needs to see it.
    pub right: Option<Right>,
}

/// The description of a page.
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

/// The contents of a page.
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
