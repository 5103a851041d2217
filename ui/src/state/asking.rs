//! Requests from pages to the core.

use crewbell_core::screen::{Ask, AskError};
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use super::AppState;
use crate::bridge;

impl AppState {
    /// Executes a command for the signed-in person. Its effect is shown as soon as the core has stored it. An error of
    /// this device's rules or storage goes into `trouble`, a later refusal by the server into `refusals`. There is
    /// nothing to await.
    pub fn act(self, verb: Verb) {
        // The core returns no id if the verb would change nothing.
        self.ask_and(Ask::Do { verb }, |_: Option<CommandId>| {});
    }

    /// Executes a command and calls `then` with whether this device accepted it, for forms that show errors themselves.
    pub fn act_or(self, verb: Verb, then: impl FnOnce(Result<(), AskError>) + 'static) {
        self.ask_or(Ask::Do { verb }, move |answer: Result<Option<CommandId>, AskError>| then(answer.map(drop)));
    }

    /// Sends a request without a result; an error goes into `trouble`.
    pub fn ask(self, ask: Ask) {
        self.ask_and(ask, |(): ()| {});
    }

    /// Sends a request and calls `then` with the answer; an error goes into `trouble`. Values that a page created may
    /// be disposed of by then: use the `try_` methods on them.
    pub fn ask_and<R: DeserializeOwned + 'static>(self, ask: Ask, then: impl FnOnce(R) + 'static) {
        self.ask_or(ask, move |answer| match answer {
            Ok(answer) => then(answer),
            Err(error) => self.trouble.set(Some(error)),
        });
    }

    /// Sends a request and calls `then` with the answer or the error, for pages that show errors themselves.
    #[expect(clippy::unused_self, reason = "asking is asking the state's core")]
    pub fn ask_or<R: DeserializeOwned + 'static>(self, ask: Ask, then: impl FnOnce(Result<R, AskError>) + 'static) {
        spawn_local(async move { then(bridge::ask(&ask).await) });
    }

    /// Changes a setting of this device; `None` removes it. The change is shown at once, even if storing it fails.
    pub fn set(self, name: &str, value: Option<String>) {
        self.settings.update(|settings| match &value {
            Some(value) => drop(settings.insert(name.to_owned(), value.clone())),
            None => drop(settings.remove(name)),
        });
        self.ask(Ask::Set { name: name.to_owned(), value });
    }
}
