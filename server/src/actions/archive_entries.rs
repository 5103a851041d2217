//! Moves the oldest entries to the archive of their month. They remain readable there.

use crewbell_shared::Refusal;
use jiff::Timestamp;

use super::{Action, Moment, Step, Steps, Wants, World};

/// Moves a batch of entries older than a time to the archive.
#[derive(Clone, Debug)]
pub struct ArchiveEntries {
    /// Entries before this time are moved.
    pub before: Timestamp,
}

impl Action for ArchiveEntries {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, _: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        Ok(Steps::none().and(Step::Archive(self.before)))
    }
}
