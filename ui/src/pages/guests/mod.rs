//! Guests and their stays.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.guests.title, icon: Picture::Guest, right: None };

/// Guests and their stays.
#[component]
pub fn Guests() -> impl IntoView {
    view! { <Empty icon=Picture::Guest title=words().guests.title/> }
}
