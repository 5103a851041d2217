//! The board: what needs the person, on top and large.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.requests.title, icon: Picture::Bell, right: None };

/// The board: what needs the person, on top and large.
#[component]
pub fn Requests() -> impl IntoView {
    view! { <Empty icon=Picture::Bell title=words().requests.title/> }
}
