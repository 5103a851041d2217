//! What an input means, before it is so.

use crewbell_shared::ids::CommandId;

use super::Output;
use super::live::Live;
use crate::screen::{AskError, Told};
use crate::store::Write;

/// What an input means, before it is so.
#[derive(Clone, Debug)]
pub struct Step {
    /// To be stored, all or none, before [`super::Engine::commit`].
    pub writes: Vec<Write>,
    /// What whoever asked is answered once it is committed: the id of the command that was kept, if one was.
    pub answer: Result<Option<CommandId>, AskError>,
    pub(super) live: Live,
    pub(super) outputs: Vec<Output>,
    pub(super) told: Vec<Told>,
    /// All is told, changed or not.
    pub(super) say_again: bool,
}

impl Step {
    pub(super) fn new(live: Live) -> Self {
        Self { writes: Vec::new(), answer: Ok(None), live, outputs: Vec::new(), told: Vec::new(), say_again: false }
    }

    /// Whether the step may go on though the storage fails: what the server tells is shown all the same, and can be had
    /// again. What a person did is not taken unless it is kept.
    pub fn may_go_unwritten(&self) -> bool {
        !self.writes.iter().any(|write| matches!(write, Write::Keep(_) | Write::SignIn(_)))
    }

    pub(super) fn refuse(&mut self, error: impl Into<AskError>) {
        self.answer = Err(error.into());
    }

    pub(super) fn tell(&mut self, told: Told) {
        self.told.push(told);
    }
}
