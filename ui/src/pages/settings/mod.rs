//! The settings page of this device and of the site.
//!
//! The names of a device's settings are in `crewbell_core::screen::settings`.
//!
//! - `you` the signed-in person and signing out; `look`, `sounds`, `calls`; `background` alerts in the background
//! - `health` the health of the device; `add_device` the code for another one
//! - `site` the site settings, disabled for people without the right to change them; `draft` their typed values

mod add_device;
mod background;
mod calls;
mod draft;
mod health;
mod look;
mod site;
mod sounds;
mod you;

use leptos::prelude::*;

use crate::components::{Icon, IconName};
use crate::locales::Text;
use crate::pages::Info;

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.settings.title, icon: IconName::Settings, right: None };

/// The settings page.
#[component]
pub fn Settings() -> impl IntoView {
    view! {
        <div class="settings">
            <sounds::Sounds/>
            <calls::Calls/>
            <look::ButtonStyle/>
            <background::Background/>
            <health::Health/>
            <add_device::AddDevice/>
            <you::You/>
            <site::Site/>
        </div>
    }
}

/// A section of the page, with its heading.
#[component]
fn Part(title: Text, icon: IconName, children: Children) -> impl IntoView {
    view! {
        <section class="card settings-part">
            <h2><Icon of=icon/>{title}</h2>
            {children()}
        </section>
    }
}
