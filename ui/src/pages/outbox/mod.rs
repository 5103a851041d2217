//! What waits to be sent, and what was refused.

use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.outbox.title, icon: Picture::Outbox, right: None };

/// What waits to be sent, and what was refused.
#[component]
pub fn Outbox() -> impl IntoView {
    view! { <Empty icon=Picture::Outbox title=words().outbox.title/> }
}
