//! Moves the oldest entries to the archive of their month. They remain readable there.

use crewbell_shared::Refusal;
use jiff::Timestamp;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Moves a batch of entries older than a time to the archive.
#[derive(Clone, Debug)]
pub struct ArchiveEntries {
    /// Entries before this time are moved.
    pub before: Timestamp,
}

impl Action for ArchiveEntries {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, _: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        Ok(Effects::none().and(Effect::Archive(self.before)))
    }
}
