//! The sign-in step for one of the server's sites.

use crewbell_core::screen::{ServerInfo, SiteInfo};
use leptos::prelude::*;

use crate::components::{Empty, IconName, Row};
use crate::locales::words;

/// The sites of a server, to choose one.
#[component]
pub fn Sites(found: ServerInfo, #[prop(into)] on_chosen: Callback<SiteInfo>) -> impl IntoView {
    let w = &words().sign_in;
    if found.sites.is_empty() {
        return view! { <Empty icon=IconName::Place title=w.no_sites text=found.address/> }.into_any();
    }
    let rows = found.sites.into_iter().map(|site| {
        let name = site.name.clone();
        view! { <Row title=name icon=IconName::Place on_press=move || on_chosen.run(site.clone())/> }
    });
    view! {
        <h2>{w.choose_site}</h2>
        <div class="rows card">{rows.collect_view()}</div>
    }
    .into_any()
}
