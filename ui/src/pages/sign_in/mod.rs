//! Signing in: which server, which site, who, and their PIN.

use leptos::prelude::*;

use crate::locales::words;

/// The page for who isn't signed in.
#[component]
pub fn SignIn() -> impl IntoView {
    view! { <main class="sign-in"><h1>{words().sign_in.title}</h1></main> }
}
