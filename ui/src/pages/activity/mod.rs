//! What happened, page by page.

use crewbell_shared::person::Right;
use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info =
    Info { title: |words| words.activity.title, icon: Picture::Log, right: Some(Right::ReadActivity) };

/// What happened, page by page.
#[component]
pub fn Activity() -> impl IntoView {
    view! { <Empty icon=Picture::Log title=words().activity.title/> }
}
