//! A request asked for without a button.

use crewbell_shared::person::Right;
use leptos::prelude::*;

use crate::components::{Empty, Picture};
use crate::locales::words;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info =
    Info { title: |words| words.new_request.title, icon: Picture::Plus, right: Some(Right::CreateRequests) };

/// A request asked for without a button.
#[component]
pub fn NewRequest() -> impl IntoView {
    view! { <Empty icon=Picture::Plus title=words().new_request.title/> }
}
