//! Changes the site's settings.

use crewbell_shared::Refusal;
use crewbell_shared::site::SiteSettings;

use super::{Action, ActionContext, Effects, ReadSet, UnitOfWork};

/// Changes the site's settings.
#[derive(Clone, Debug)]
pub struct SaveSettings {
    /// All settings.
    pub settings: SiteSettings,
}

impl Action for SaveSettings {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let changes = moment.case(world).save_settings(&self.settings)?;
        // Only the server can check a time zone: an app has no time zone database.
        if self.settings.time_zone != world.site.settings.time_zone {
            crate::http::zone(&self.settings.time_zone)?;
        }
        Ok(changes.into())
    }
}
