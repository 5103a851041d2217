//! This device, and the site: how it looks, how it sounds, how it is.
//!
//! What a device's settings are called stands in `crewbell_core::screen::settings`.
//!
//! - `you` who is signed in, and leaving; `look`, `sounds`, `calls`; `background` what rings when the app is behind
//! - `health` how the device is; `add_device` the code for another one
//! - `site` how the site is run, greyed for who may not change it; `draft` what is typed there

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

use crate::components::{Icon, Picture};
use crate::locales::Text;
use crate::pages::Info;

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.settings.title, icon: Picture::Settings, right: None };

/// This device, and the site.
#[component]
pub fn Settings() -> impl IntoView {
    view! {
        <div class="settings">
            <sounds::Sounds/>
            <calls::Calls/>
            <look::Look/>
            <background::Background/>
            <health::Health/>
            <add_device::AddDevice/>
            <you::You/>
            <site::Site/>
        </div>
    }
}

/// A part of the page, under its heading.
#[component]
fn Part(title: Text, icon: Picture, children: Children) -> impl IntoView {
    view! {
        <section class="card settings-part">
            <h2><Icon of=icon/>{title}</h2>
            {children()}
        </section>
    }
}
