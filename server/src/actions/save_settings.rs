//! Somebody changes how the site is run.

use crewbell_shared::Refusal;
use crewbell_shared::person::Right;
use crewbell_shared::site::{Settings, Site};

use super::texts::name;
use super::{Action, Moment, Steps, Wants, World};

/// Somebody changes how the site is run.
#[derive(Clone, Debug)]
pub struct SaveSettings {
    /// All settings.
    pub settings: Settings,
}

impl Action for SaveSettings {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        moment.actor.need(Right::EditSite)?;
        let settings = &self.settings;
        if settings.press_window_s > 600 {
            return Err(Refusal::invalid("press_window_s", "0 to 600 seconds.").with("limit", &600));
        }
        if settings.retention_days > 3650 {
            return Err(Refusal::invalid("retention_days", "0 to 3650 days.").with("limit", &3650));
        }
        for (place, service) in settings.services.iter().enumerate() {
            name("services", &service.code)?;
            if settings.services[..place].iter().any(|other| other.key == service.key) {
                return Err(Refusal::invalid("services", "A key has one service."));
            }
        }
        let site = Site { settings: settings.clone(), ..world.site.clone() };
        Ok(if site == world.site { Steps::none() } else { Steps::change(site, "settings_changed") })
    }
}
