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
        moment.case(world).save_settings(&self.settings).map(Steps::from)
    }
}
