//! The oldest entries move to the archive of their month. What happened stays told; it is only kept elsewhere.

use crewbell_shared::Refusal;
use jiff::Timestamp;

use super::{Action, Moment, Step, Steps, Wants, World};

/// Entries before a time move to the archive, a batch of them.
#[derive(Clone, Debug)]
pub struct ArchiveEntries {
    /// Entries from before this.
    pub before: Timestamp,
}

impl Action for ArchiveEntries {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(Steps::none().and(Step::Archive(self.before)))
    }
}
