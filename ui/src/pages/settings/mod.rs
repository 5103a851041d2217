//! This device, and the site.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.settings.title, icon: Picture::Settings, right: None };

/// This device, and the site.
#[component]
pub fn Settings() -> impl IntoView {
    view! { <Empty icon=Picture::Settings title=words().settings.title/> }
}
