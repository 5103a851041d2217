//! Somebody changes how the site is run.

use crewbell_shared::Refusal;
use crewbell_shared::site::Settings;

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
        let changes = moment.case(world).save_settings(&self.settings)?;
        // Whether there is such a time zone is the server's to say: an app has no database of them.
        if self.settings.time_zone != world.site.settings.time_zone {
            crate::http::zone(&self.settings.time_zone)?;
        }
        Ok(changes.into())
    }
}
