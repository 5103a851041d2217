//! What a page may want of the core.

use crewbell_core::screen::{Ask, AskError};
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use super::State;
use crate::bridge;

impl State {
    /// Lets the person do something. Its effect is shown as soon as the core has kept it; a "no" of this device's rules
    /// or storage is shown as trouble, the server's later one as a refusal. Nothing needs to be awaited.
    pub fn act(self, verb: Verb) {
        // No id: it is so already, and there is nothing to do.
        self.ask_and(Ask::Do { verb }, |_: Option<CommandId>| {});
    }

    /// Lets the person do something, and goes on with whether this device took it, for a form that shows a "no" itself.
    pub fn act_or(self, verb: Verb, then: impl FnOnce(Result<(), AskError>) + 'static) {
        self.ask_or(Ask::Do { verb }, move |answer: Result<Option<CommandId>, AskError>| then(answer.map(drop)));
    }

    /// Asks for something that has no answer worth having; an error is shown as trouble.
    pub fn ask(self, ask: Ask) {
        self.ask_and(ask, |(): ()| {});
    }

    /// Asks, and goes on with the answer; an error is shown as trouble. What `then` changes may be gone by then: use the
    /// `try_` methods on what a page made.
    pub fn ask_and<R: DeserializeOwned + 'static>(self, ask: Ask, then: impl FnOnce(R) + 'static) {
        self.ask_or(ask, move |answer| match answer {
            Ok(answer) => then(answer),
            Err(error) => self.trouble.set(Some(error)),
        });
    }

    /// Asks, and goes on with the answer or the error, for a page that shows errors where they belong.
    #[expect(clippy::unused_self, reason = "asking is asking the state's core")]
    pub fn ask_or<R: DeserializeOwned + 'static>(self, ask: Ask, then: impl FnOnce(Result<R, AskError>) + 'static) {
        spawn_local(async move { then(bridge::ask(&ask).await) });
    }

    /// Changes a setting of this device; none removes it. Shown at once, whatever the storage says.
    pub fn set(self, name: &str, value: Option<String>) {
        self.settings.update(|settings| match &value {
            Some(value) => drop(settings.insert(name.to_owned(), value.clone())),
            None => drop(settings.remove(name)),
        });
        self.ask(Ask::Set { name: name.to_owned(), value });
    }
}
