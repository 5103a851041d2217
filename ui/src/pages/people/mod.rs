//! The crew: who is on duty, who is there.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.people.title, icon: Picture::People, right: None };

/// The crew: who is on duty, who is there.
#[component]
pub fn People() -> impl IntoView {
    view! { <Empty icon=Picture::People title=words().people.title/> }
}
