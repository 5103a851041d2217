//! The effects of an input, before they are applied.

use crewbell_shared::ids::CommandId;

use super::Output;
use super::volatile_state::VolatileState;
use crate::screen::{AskError, CoreEvent};
use crate::store::Write;

/// The effects of an input: writes for the store, outputs and an answer.
#[derive(Clone, Debug)]
pub struct Step {
    /// The writes to store atomically before [`super::Engine::commit`].
    pub writes: Vec<Write>,
    /// The answer to the caller after the commit: the id of the stored command, if there is one.
    pub answer: Result<Option<CommandId>, AskError>,
    pub(super) live: VolatileState,
    pub(super) outputs: Vec<Output>,
    pub(super) told: Vec<CoreEvent>,
    /// Whether to emit the complete state, changed or not.
    pub(super) say_again: bool,
}

impl Step {
    pub(super) fn new(live: VolatileState) -> Self {
        Self { writes: Vec::new(), answer: Ok(None), live, outputs: Vec::new(), told: Vec::new(), say_again: false }
    }

    /// Returns whether the step may be applied although the storage fails. The server's data can be shown unsaved, as
    /// it can be fetched again; a person's command or sign-in must be stored.
    pub fn may_go_unwritten(&self) -> bool {
        !self.writes.iter().any(|write| matches!(write, Write::UpsertCommand(_) | Write::SignIn(_)))
    }

    pub(super) fn refuse(&mut self, error: impl Into<AskError>) {
        self.answer = Err(error.into());
    }

    pub(super) fn emit(&mut self, told: CoreEvent) {
        self.told.push(told);
    }
}
