//! Answers requests from the UI about calls: commands, and orders to the handset.

use crewbell_shared::call::CallVerb;
use std::sync::Arc;

use crewbell_shared::call::About;
use crewbell_shared::ids::{CallId, PersonId};
use crewbell_shared::protocol::Verb;

use super::ask::{Answered, as_json, beside};
use super::run::{Answer, Controller};
use crate::engine::Input;
use crate::screen::AskError;
use crate::store::Store;

impl<S: Store + 'static> Controller<S> {
    /// Calls a colleague from this device.
    pub(super) async fn call(&mut self, callee_id: PersonId, about: Option<About>) -> Answered {
        let (call_id, endpoint) = (self.clock.id(), Some(self.endpoint));
        self.act(Verb::Call(CallVerb::Start { call_id, callee_id, about, endpoint })).await
    }

    /// Answers a call on this device.
    pub(super) async fn pick_up(&mut self, call_id: CallId) -> Answered {
        self.act(Verb::Call(CallVerb::Answer { call_id, endpoint: Some(self.endpoint) })).await
    }

    /// Hangs up, cancels or rejects a call.
    pub(super) async fn hang_up(&mut self, call_id: CallId) -> Answered {
        self.act(Verb::Call(CallVerb::End { call_id, dropped: false })).await
    }

    /// Lists the microphones and speakers in a separate task, as the system may be slow.
    pub(super) fn audio_devices(&self, answer: Answer) {
        let handset = Arc::clone(&self.handset);
        beside(answer, async move {
            let asking = tokio::task::spawn_blocking(move || handset.audio_devices()).await;
            let gone = |error: tokio::task::JoinError| AskError::Unreadable { why: error.to_string() };
            as_json(&asking.map_err(gone)??)
        });
    }

    async fn act(&mut self, verb: Verb) -> Answered {
        let id = self.clock.id();
        self.nothing(Input::Act { id, verb }).await
    }
}
