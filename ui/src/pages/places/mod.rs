//! Decks and cabins.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.places.title, icon: Picture::Place, right: None };

/// Decks and cabins.
#[component]
pub fn Places() -> impl IntoView {
    view! { <Empty icon=Picture::Place title=words().places.title/> }
}
