//! Changes the site's settings.

use crewbell_shared::Refusal;
use crewbell_shared::site::Settings;

use super::{Action, Moment, Steps, Wants, World};

/// Changes the site's settings.
#[derive(Clone, Debug)]
pub struct SaveSettings {
    /// All settings.
    pub settings: Settings,
}

impl Action for SaveSettings {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, world: &World, moment: &Moment<'_>) -> Result<Steps, Refusal> {
        let changes = moment.case(world).save_settings(&self.settings)?;
        // Only the server can check a time zone: an app has no time zone database.
        if self.settings.time_zone != world.site.settings.time_zone {
            crate::http::zone(&self.settings.time_zone)?;
        }
        Ok(changes.into())
    }
}
