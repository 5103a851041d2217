//! The sign-in page: server, site, person, and their PIN.
//!
//! - `server` the server's address, typed or scanned from another device
//! - `site` the choice of a site, if the server has several
//! - `secret` the person, and their PIN or password
//!
//! The person who was signed in last enters only the PIN.

mod secret;
mod server;
mod site;

use crewbell_core::screen::{Ask, ServerInfo, SiteInfo};
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle};
use crate::frame::{ConnectionBanner, Notices};
use crate::locales::{Language, language, names, words};
use crate::state::{AppState, state};

/// The step of the sign-in.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// The choice of the server.
    Server,
    /// The choice of one of its sites.
    Site(ServerInfo),
    /// The person and their secret.
    Who(Place),
}

/// A site on a server.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    server: String,
    site: SiteInfo,
    /// The name of the person who was signed in last.
    last: Option<String>,
}

/// The step after a server was found: its only site, the site that the link named, or the choice of a site.
fn after(found: ServerInfo) -> Step {
    let named = found.site.as_ref().and_then(|slug| found.sites.iter().find(|site| site.slug == *slug));
    match (named, found.sites.as_slice()) {
        (Some(site), _) | (None, [site]) => {
            Step::Who(Place { server: found.address.clone(), site: site.clone(), last: None })
        }
        (None, _) => Step::Site(found),
    }
}

/// The first step: the last person's PIN, or the choice of the server.
fn first(state: AppState) -> Step {
    state.last.get_untracked().map_or(Step::Server, |last| {
        let site = SiteInfo { name: names::as_words(&last.site), slug: last.site };
        Step::Who(Place { server: last.server, site, last: Some(last.person.name) })
    })
}

/// The sign-in page.
#[component]
pub fn SignIn() -> impl IntoView {
    let state = state();
    let step = RwSignal::new(first(state));
    let named = the_site_by_name(state, &step.get_untracked());
    let shown = move || match step.get() {
        Step::Server => view! { <server::Server on_found=move |found| step.set(after(found))/> }.into_any(),
        Step::Site(found) => view! {
            <site::Sites found=found.clone() on_chosen=move |site| {
                step.set(Step::Who(Place { server: found.address.clone(), site, last: None }));
            }/>
        }
        .into_any(),
        Step::Who(place) => {
            // The name arrives separately from the step, so that it doesn't interrupt a person who is typing the PIN.
            let site = place.site.clone();
            let called = Signal::derive(move || {
                named.with(|named| named.iter().find(|named| named.slug == site.slug).unwrap_or(&site).name.clone())
            });
            view! { <secret::Secret place called/> }.into_any()
        }
    };
    let is_first = move || step.with(|step| *step == Step::Server);
    view! {
        <main class="sign-in">
            <Notices/>
            <ConnectionBanner/>
            <h1 class="brand">{words().frame.app}</h1>
            {shown}
            <footer>
                <Show when=move || !is_first()>
                    <Button label=words().sign_in.other_server look=ButtonStyle::Quiet on_press=move || step.set(Step::Server)/>
                </Show>
                <Languages/>
            </footer>
        </main>
    }
}

/// Requests the full names of the server's sites, if it can be reached. The device stores only a site's short name.
fn the_site_by_name(state: AppState, step: &Step) -> RwSignal<Vec<SiteInfo>> {
    let named = RwSignal::new(Vec::new());
    if let Step::Who(place) = step {
        state.ask_or(Ask::FindServer { address: place.server.clone() }, move |found: Result<ServerInfo, _>| {
            if let Ok(found) = found {
                named.try_set(found.sites);
            }
        });
    }
    named
}

/// The choice of the language, each by its own name.
#[component]
fn Languages() -> impl IntoView {
    let state = state();
    let each = Language::ALL.map(|one| {
        view! {
            <button type="button" class="language" lang=one.code() aria-pressed=(one == language()).to_string()
                on:click=move |_| state.set("language", Some(one.code().to_owned()))>{one.name()}</button>
        }
    });
    view! { <div class="languages">{each.into_iter().collect_view()}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(slugs: &[&str], named: Option<&str>) -> ServerInfo {
        let site = |slug: &&str| SiteInfo { slug: (*slug).to_owned(), name: slug.to_uppercase() };
        ServerInfo {
            address: "http://10.0.0.2:8080".into(),
            version: "1".into(),
            sites: slugs.iter().map(site).collect(),
            site: named.map(str::to_owned),
        }
    }

    fn slug(step: Step) -> Option<String> {
        match step {
            Step::Who(place) => Some(place.site.slug),
            Step::Server | Step::Site(_) => None,
        }
    }

    #[test]
    fn the_only_site_is_not_asked_for() {
        assert_eq!(slug(after(found(&["serenity"], None))).as_deref(), Some("serenity"));
    }

    #[test]
    fn of_several_the_one_that_the_link_named_is_taken() {
        assert_eq!(slug(after(found(&["a", "b"], Some("b")))).as_deref(), Some("b"));
        assert_eq!(slug(after(found(&["a", "b"], Some("gone")))), None);
        assert_eq!(slug(after(found(&["a", "b"], None))), None);
    }
}
