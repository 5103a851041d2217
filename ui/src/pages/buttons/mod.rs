//! The buttons: their health, and where they are.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.buttons.title, icon: Picture::Button, right: None };

/// The buttons: their health, and where they are.
#[component]
pub fn Buttons() -> impl IntoView {
    view! { <Empty icon=Picture::Button title=words().buttons.title/> }
}
